import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { checkSource } from "@headrace/bootstrapper/commands/check/run"
import type { Problem } from "@headrace/shared/foundation/problem"
import { expect, it } from "vitest"
import { REAL_RULES, realHistoryBundle, realHistoryMissing } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { checkOutReal } from "./real-checkout.ts"

interface Seed {
  name: string
  /** Text of the rules: what to replace by what. */
  rules?: readonly (readonly [string, string])[]
  /** Files to write, or `{link}`. */
  files?: Record<string, string | Buffer | { link: string }>
  /** Hold it against an operator's file. */
  withConfig?: boolean
  /** Rules of another source. */
  otherRules?: string
  code: string
  severity?: "error" | "warning"
}

const JOBS = "config/jobs/**/*.{yaml,yml}:"
const MIB = 1024 * 1024
const OPERATOR = `version: 1
sources: {test-infra: {url: /nowhere, branch: main, rules: config/prow/plugins.yaml}}
clusters:
  test-infra-trusted: {inCluster: true, namespaces: [default, test-pods, headrace]}
  k8s-infra-prow-build-trusted: {inCluster: true, namespaces: [test-pods]}
`

/** Mistakes put into the real rules, one at a time. */
const SEEDS: Seed[] = [
  {
    name: "a misspelt field",
    rules: [["name: label-config", "nmae: label-config"]],
    code: "rules/unknown-field",
  },
  {
    name: "a misspelt config_updater",
    rules: [["config_updater:", "config_updator:"]],
    code: "rules/unknown-field",
  },
  { name: "broken YAML", rules: [["config_updater:", "config_updater: ["]], code: "yaml/syntax" },
  {
    name: "a number where a name belongs",
    rules: [["name: label-config", "name: 0123"]],
    code: "rules/wrong-value",
  },
  {
    name: "a rule given twice",
    rules: [["label_sync/labels.yaml:", "config/prow/config.yaml:"]],
    code: "rules/duplicate-key",
  },
  {
    name: "name and partitions",
    rules: [["name: job-config", "name: job-config\n      partitioned_names: [a]"]],
    code: "rules/name-and-partitions",
  },
  { name: "no name", rules: [["name: label-config", "gzip: true"]], code: "rules/missing-name" },
  {
    name: "an unknown group",
    rules: [
      [
        "name: job-config\n      gzip: true\n      clusters:\n        test-infra-trusted:\n          - default",
        "name: job-config\n      cluster_groups: [farm]",
      ],
    ],
    code: "rules/unknown-group",
  },
  {
    name: "clusters and groups",
    rules: [["name: label-config", "name: label-config\n      cluster_groups: [farm]"]],
    code: "rules/clusters-and-groups",
  },
  {
    name: "a group without namespaces",
    rules: [
      ["config_updater:", "config_updater:\n  cluster_groups: {arm: {clusters: [arm01]}}"],
      [
        "name: job-config\n      gzip: true\n      clusters:\n        test-infra-trusted:\n          - default",
        "name: job-config\n      gzip: true\n      cluster_groups: [arm]",
      ],
    ],
    code: "rules/empty-group",
    severity: "warning",
  },
  {
    name: "overlapping rules",
    rules: [
      [
        "label_sync/labels.yaml:",
        "config/**/*.yaml: {name: all, gzip: true, clusters: {test-infra-trusted: [default]}}\n    label_sync/labels.yaml:",
      ],
    ],
    code: "rules/overlap",
    severity: "warning",
  },
  {
    name: "a rule that an earlier one leaves nothing",
    rules: [
      [
        "label_sync/labels.yaml:",
        "config/prow/*.yaml: {name: all, key: one, clusters: {test-infra-trusted: [default]}}\n    label_sync/labels.yaml:",
      ],
    ],
    code: "rules/shadowed",
    severity: "warning",
  },
  {
    name: "a rule that matches nothing",
    rules: [["label_sync/labels.yaml:", "label_sync/lables.yaml:"]],
    code: "rules/matches-nothing",
    severity: "warning",
  },
  {
    name: "a glob that Prow reads otherwise",
    rules: [[JOBS, "config/jobs/**:"]],
    code: "rules/glob-trailing-globstar",
    severity: "warning",
  },
  {
    name: "several files for one key",
    files: { "config/jobs/zz/apidiff.yaml": "x: 1" },
    code: "plan/key-collision",
  },
  { name: "an illegal key", files: { "config/jobs/with space.yaml": "x: 1" }, code: "plan/illegal-key" },
  {
    name: "an illegal name",
    rules: [["name: label-config", "name: Label_Config"]],
    code: "plan/illegal-name",
  },
  {
    name: "an unknown cluster",
    rules: [["k8s-infra-prow-build-trusted:", "k8s-infra-prow-build-trsuted:"]],
    withConfig: true,
    code: "plan/unknown-cluster",
  },
  {
    name: "a namespace outside the allow-list",
    rules: [["- test-pods", "- kube-system"]],
    withConfig: true,
    code: "plan/namespace-not-allowed",
  },
  {
    name: "Headrace's own namespace",
    rules: [
      [
        "name: test-configmap\n      gzip: true\n      clusters:\n        test-infra-trusted:\n          - default",
        "name: test-configmap\n      clusters:\n        test-infra-trusted:\n          - headrace",
      ],
    ],
    withConfig: true,
    code: "plan/reserved-namespace",
  },
  {
    name: "a ConfigMap claimed twice",
    files: {
      "other.yaml":
        "config_updater: {maps: {a: {name: job-config, clusters: {test-infra-trusted: [default]}}}}",
    },
    otherRules: "other.yaml",
    code: "plan/claimed-twice",
  },
  { name: "more than 1 MiB", files: { "config/prow/config.yaml": "x".repeat(MIB) }, code: "plan/too-large" },
  {
    name: "more than 1 MiB even compressed",
    files: { "config/jobs/big.yaml": noise(600_000) },
    code: "plan/too-large",
  },
  {
    name: "nearly 1 MiB",
    files: { "config/prow/config.yaml": "x".repeat(MIB - 1000) },
    code: "plan/nearly-full",
    severity: "warning",
  },
  {
    name: "an LFS pointer",
    files: {
      "config/jobs/lfs.yaml": `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12345\n`,
    },
    code: "git/lfs-pointer",
  },
  {
    name: "a dangling link",
    files: { "config/jobs/link.yaml": { link: "nowhere.yaml" } },
    code: "git/link-dangling",
  },
  {
    name: "a submodule",
    files: { "config/jobs/sub.yaml/.git": "gitdir: ../../x" },
    code: "git/submodule",
  },
  {
    name: "a file called VERSION under a broad glob",
    rules: [["label_sync/labels.yaml:", "label_sync/*:"]],
    files: { "label_sync/VERSION": "1" },
    code: "plan/reserved-key",
    severity: "warning",
  },
  {
    name: "a rule for other repositories alone, the repository unknown",
    rules: [["name: label-config", "name: label-config\n      allowed_repos: [kubernetes/test-infra]"]],
    code: "plan/unknown-repository",
    severity: "warning",
  },
]

/** Bytes that do not compress, the same in every run. */
function noise(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  let state = 1
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    buffer[at] = state >>> 24
  }
  return buffer
}

const OPTIONS = {
  defaultCluster: "default",
  defaultNamespace: "default",
  strict: false,
  prow: false,
  output: "json",
} as const
const never = new AbortController().signal

async function problemsIn(
  folder: string,
  seed: Pick<Seed, "withConfig" | "otherRules">,
): Promise<readonly Problem[]> {
  const report = await checkSource(
    [folder],
    {
      ...OPTIONS,
      rules: join(folder, REAL_RULES),
      otherRules: seed.otherRules ? [join(folder, seed.otherRules)] : [],
      ...(seed.withConfig && { config: join(folder, "operator.yaml") }),
    },
    never,
  )
  return report.problems
}

it.skipIf(realHistoryMissing())(
  `check finds each of ${SEEDS.length} mistakes put into the real rules, and none in the rules as they are${whySkipped(realHistoryMissing())}`,
  { timeout: 300_000 },
  async () => {
    await withFolder(async (folder) => {
      const clean = join(folder, "clean")
      await checkOutReal(realHistoryBundle(), clean)
      await writeFile(join(clean, "operator.yaml"), OPERATOR)
      expect(await problemsIn(clean, {})).toEqual([])
      expect(await problemsIn(clean, { withConfig: true })).toEqual([])
      for (const seed of SEEDS) {
        const undo = await plant(clean, seed)
        const found = await problemsIn(clean, seed)
        const place = seed.code.startsWith("rules/") ? { line: expect.any(Number) } : {}
        const expected = { severity: seed.severity ?? "error", code: seed.code, ...place }
        expect(found, seed.name).toContainEqual(expect.objectContaining(expected))
        await undo()
      }
      expect(await problemsIn(clean, {})).toEqual([])
    })
  },
)

/** Puts a mistake into a folder. Gives what takes it out again. */
async function plant(folder: string, { rules = [], files = {} }: Seed): Promise<() => Promise<void>> {
  const before = new Map<string, Buffer | undefined>()
  const place = join(folder, REAL_RULES)
  before.set(place, await readFile(place))
  let text = await readFile(place, "utf8")
  for (const [from, to] of rules) {
    if (!text.includes(from)) throw new Error(`the real rules no longer hold ${from}`)
    text = text.replace(from, to)
  }
  await writeFile(place, text)
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    const made = await mkdir(dirname(file), { recursive: true })
    before.set(made ?? file, await readFile(file).catch(() => undefined))
    if (typeof content === "string" || Buffer.isBuffer(content)) await writeFile(file, content)
    else await symlink(content.link, file)
  }
  return async function undo() {
    for (const [path, content] of before) {
      await rm(path, { recursive: true, force: true })
      if (content) await writeFile(path, content)
    }
  }
}
