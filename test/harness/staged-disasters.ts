/** A change that reached everybody at once somewhere, built here in its likeness. */
export interface StagedDisaster {
  name: string
  /** Files in force, and those that the bad commit changes or adds. */
  good: { [path: string]: string }
  bad: { [path: string]: string }
  /** What refuses it, and where. */
  code: string
  place: { file: string; line?: number }
}

/** The rules of all: job files by their names, everything else by its path. */
export const DISASTER_RULES = `config_updater:
  maps:
    jobs/**/*.yaml: {name: jobs, clusters: {east: [ci], west: [ci]}}
    policies/*.yaml: {name: policies, use_full_path_as_key: true, clusters: {east: [ci], west: [ci]}}
    generated/*.json: {name: generated, use_full_path_as_key: true, clusters: {east: [ci], west: [ci]}}
`

/** The gates of all, as an operator's file has them. */
export const DISASTER_GATES = {
  change: { targets: "50%", bytes: "x1.9", emptied: 5 },
  files: [
    { glob: "**/*.yaml", parse: "yaml" },
    { glob: "generated/*.json", schema: "schemas/features.json" },
    { glob: "policies/*.yaml", schema: "schemas/policy.json" },
    { glob: "jobs/**", builtin: "prow-jobs" },
  ],
}

const SCHEMAS = {
  "schemas/features.json": JSON.stringify({
    type: "object",
    required: ["features"],
    properties: { features: { type: "array", maxItems: 200 } },
  }),
  "schemas/policy.json": JSON.stringify({
    type: "object",
    required: ["policies"],
    properties: {
      policies: {
        type: "array",
        items: {
          required: ["name", "quota"],
          properties: { quota: { type: "object", required: ["limit"] } },
        },
      },
    },
  }),
}

const GOOD = {
  "rules.yaml": DISASTER_RULES,
  ...SCHEMAS,
  "generated/features.json": features(150, 1),
  "policies/quota.yaml": policies("{limit: 100, unit: requests}"),
  "jobs/a/build.yaml": jobs("a-build"),
  "jobs/b/test.yaml": jobs("b-test"),
}

/**
 * The public ones: a generated feature file that doubled when a query returned each row twice (Cloudflare, 18 November 2025); policies
 * with blank fields, replicated worldwide within seconds (Google Cloud, 12 June 2025); and job files whose names collide over
 * folders, so that one replaces the other (Prow, kubernetes/test-infra).
 */
export const STAGED_DISASTERS: readonly StagedDisaster[] = [
  {
    name: "a generated file doubles",
    good: GOOD,
    bad: { "generated/features.json": features(150, 2) },
    code: "gate/bytes",
    place: { file: "generated/features.json" },
  },
  {
    name: "required fields become blank",
    good: GOOD,
    bad: { "policies/quota.yaml": policies("") },
    code: "gate/emptied",
    place: { file: "policies/quota.yaml", line: 3 },
  },
  {
    name: "file names collide over folders",
    good: GOOD,
    bad: { "jobs/b/build.yaml": jobs("b-build") },
    code: "gate/duplicate-name",
    place: { file: "jobs/b/build.yaml", line: 1 },
  },
]

function features(count: number, times: number): string {
  const all = Array.from({ length: count * times }, (_, index) => ({
    name: `feature-${index % count}`,
    type: "float64",
    columns: Array.from({ length: 20 }, (_, column) => `column-${index % count}-${column}`),
  }))
  return `${JSON.stringify({ features: all }, undefined, 1)}\n`
}

function policies(quota: string): string {
  const all = Array.from({ length: 12 }, (_, index) => `- name: policy-${index}\n  quota: ${quota}\n`)
  return `policies:\n${all.join("")}`
}

function jobs(name: string): string {
  return `periodics:\n- name: ${name}\n  interval: 1h\n  agent: kubernetes\n`
}
