import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { hasCode, UsageError } from "../foundation/errors.ts"
import { AgentSettings } from "./agent-settings.ts"
import { loadAgentSettings } from "./load-agent-settings.ts"
import { loadOperatorSettings } from "./load-operator-settings.ts"
import { OperatorSettings } from "./operator-settings.ts"
import { parseSettings } from "./parse-settings.ts"

const OPERATOR = `version: 1
sources:
  release:
    url: https://example.com/release.git
    branch: main
    rules: plugins.yaml
clusters:
  app.ci: {inCluster: true, namespaces: [ci]}
  build01: {kubeconfig: /kube/build01}
defaults: {cluster: app.ci, namespace: ci}
guard: {deletedKeys: 20%}
webhook: {secretFiles: [/secrets/hmac]}
`

const AGENT = `version: 1
record: headrace/release
projections:
  job-config:
    path: /var/lib/headrace/job-config
    from:
      - {configMap: ci/job-config-master}
    keep: {revisions: 3, age: 10m, bytes: 2Gi}
`

function complaint(text: string, schema: typeof OperatorSettings | typeof AgentSettings): string[] {
  try {
    parseSettings(text, "s.yaml", schema)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    expect(error.code).toBe("settings/invalid")
    return error.message.split("\n").slice(1)
  }
  throw new Error("nothing was wrong with it")
}

it("refuses words of operators in a namespace of ours, where more may write", () => {
  const text = "version: 1\nsources: {}\nsigning: {keyFile: k, words: headrace}\n"
  expect(() => parseSettings(text, "s.yaml", OperatorSettings)).toThrow(
    /s\.yaml:3:\d+: .*signing\.words: expected a namespace of its own/,
  )
})

describe("operator settings", () => {
  it("reads units and fills in defaults", () => {
    const settings = parseSettings(OPERATOR, "s.yaml", OperatorSettings)

    expect(settings.sources.release).toMatchObject({ poll: 30_000, foreignKeys: "remove", strict: false })
    expect(settings.guard).toEqual({
      deletedKeys: 0.2,
      deletedConfigMaps: 0.1,
      atLeast: 20,
      window: 21_600_000,
    })
    expect(settings.clusters.build01).toEqual({ kubeconfig: "/kube/build01" })
  })

  it.each([
    [
      "a misspelt field",
      OPERATOR.replace("branch:", "brunch:"),
      [
        's.yaml:4:5: error: "branch" is missing in sources.release [settings/missing-field]',
        's.yaml:5:5: error: unknown field "brunch" in sources.release (Check the spelling: did you mean "branch"?) [settings/unknown-field]',
      ],
    ],
    [
      "a wrong unit",
      OPERATOR.replace("20%", "20"),
      ["s.yaml:11:22: error: guard.deletedKeys: expected a percentage such as 20% [settings/wrong-value]"],
    ],
    [
      "a field misspelt inside one form of a union",
      OPERATOR.replace("deletedKeys", "deletedKey"),
      [
        's.yaml:11:9: error: unknown field "deletedKey" in guard (Check the spelling: did you mean "deletedKeys"?) [settings/unknown-field]',
      ],
    ],
    [
      "neither form of a union",
      OPERATOR.replace("rules: plugins.yaml", "rules: [a]"),
      ["s.yaml:6:12: error: sources.release.rules: expected string or object [settings/wrong-value]"],
    ],
    [
      "a key given twice",
      `${OPERATOR}namespace: a\nnamespace: b\n`,
      [
        's.yaml:14:1: error: "namespace" appears twice in one mapping (Remove one of them; the first is in line 13.) [settings/duplicate-key]',
      ],
    ],
    [
      "a name that no cluster can have",
      OPERATOR.replace("build01:", "build@01:"),
      [
        's.yaml:9:13: error: clusters."build@01": "build@01": expected letters, digits, -, _, ., : and / [settings/wrong-value]',
      ],
    ],
    [
      "broken YAML",
      "version: 1\nsources: [\n",
      ["s.yaml:3:1: error: not valid YAML: deficient indentation [yaml/syntax]"],
    ],
    [
      "several documents",
      "version: 1\n---\nversion: 1\n",
      ["s.yaml:1:1: error: there are several documents in the file [yaml/syntax]"],
    ],
    [
      "an empty file",
      "",
      ["s.yaml:1:1: error: the document: expected a mapping, found nothing [settings/wrong-value]"],
    ],
  ])("says where %s is", (_name, text, expected) => {
    expect(complaint(text, OperatorSettings)).toEqual(expected)
  })

  it("takes a mapping from an anchor by a merge key, and points into the anchor", () => {
    const text = OPERATOR.replace(
      "app.ci: {inCluster: true, namespaces: [ci]}",
      "app.ci: &base {store: maybe}",
    ).replace("build01: {", "build01: {<<: *base, ")

    expect(complaint(text, OperatorSettings)).toEqual([
      's.yaml:8:25: error: clusters."app.ci".store: expected true or false, found string [settings/wrong-value]',
      "s.yaml:8:25: error: clusters.build01.store: expected true or false, found string [settings/wrong-value]",
    ])
  })

  it("refuses an alias bomb before it walks it", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for (let i = 1; i < 12; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      )

    expect(complaint(lines.join("\n"), OperatorSettings)).toEqual([
      "s.yaml: error: its aliases stand for more than 100000 values [settings/too-large]",
    ])
  })
})

describe("agent settings", () => {
  it("reads units and fills in defaults", () => {
    const settings = parseSettings(AGENT, "a.yaml", AgentSettings)

    expect(settings.projections["job-config"]).toMatchObject({
      layout: "links",
      keep: { revisions: 3, age: 600_000, bytes: 2 * 2 ** 30 },
      from: [{ configMap: "ci/job-config-master", names: "keys" }],
    })
  })

  it("points at an element of a list", () => {
    expect(complaint(AGENT.replace("configMap: ci/", "configMap: "), AgentSettings)).toEqual([
      "s.yaml:7:21: error: projections.job-config.from[0].configMap: expected NAMESPACE/NAME [settings/wrong-value]",
    ])
  })
})

describe("a field of a source that another kind of source has", () => {
  it.each([
    ["names", "{git: {url: /r, branch: m}, names: paths}", "names: paths needs configMap"],
    ["names", "{live: {configMap: a/b}, names: paths}", "names: paths needs configMap"],
    ["gunzip", "{git: {url: /r, branch: m}, gunzip: true}", "gunzip needs live"],
    ["gunzip", "{configMap: a/b, gunzip: [x]}", "gunzip needs live"],
    ["live.namespaces", "{live: {configMap: a/b, namespaces: [c]}}", "namespaces needs labelSelector"],
    ["live.uniqueNames", "{live: {secret: a/b, uniqueNames: true}}", "uniqueNames needs labelSelector"],
    ["live.kind", "{live: {configMap: a/b, kind: Secret}}", "kind needs labelSelector"],
  ])("is refused by name, not ignored: %s of %s", (field, from, text) => {
    const yaml = `{version: 1, record: h/r, projections: {jobs: {path: /p, from: [${from}]}}}`
    expect(complaint(yaml, AgentSettings)).toEqual([
      expect.stringContaining(`projections.jobs.from[0].${field}: ${text}`),
    ])
  })
})

describe("the webhook's path", () => {
  it.each(["hook", "/hook?x=1", "/a b"])("is one that a request can have, and not %s", (path) => {
    const text = OPERATOR.replace("[/secrets/hmac]", `[/secrets/hmac], path: "${path}"`)
    expect(complaint(text, OperatorSettings)).toEqual([
      expect.stringContaining("webhook.path: expected a path"),
    ])
  })
})

describe("times to wait", () => {
  // Node fires a timer of more than 2^31 ms at once, and over and over.
  it.each(["0s", "30d", "365d"])("are neither nothing nor longer than a timer counts: poll: %s", (poll) => {
    const text = OPERATOR.replace("branch: main", `branch: main\n    poll: ${poll}`)
    expect(complaint(text, OperatorSettings)).toEqual([
      expect.stringContaining("sources.release.poll: expected"),
    ])
  })
})

describe("a settings file", () => {
  it("is read from disk", async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "operator.yaml"), OPERATOR)
      await writeFile(join(folder, "agent.yaml"), AGENT)

      expect(Object.keys((await loadOperatorSettings(join(folder, "operator.yaml"))).sources)).toEqual([
        "release",
      ])
      expect((await loadAgentSettings(join(folder, "agent.yaml"))).record).toBe("headrace/release")
    })
  })

  it("is named when it is not there or not text", async () => {
    await withFolder(async (folder) => {
      const binary = join(folder, "binary.yaml")
      await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]))

      for (const file of [join(folder, "none.yaml"), binary]) {
        const error = await loadOperatorSettings(file).catch((thrown: unknown) => thrown)
        expect(hasCode(error, "settings/unreadable") && error.message).toContain(file)
      }
    })
  })
})

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-settings-"))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}
