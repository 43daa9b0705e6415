import { posix } from "node:path"
import { sampleTrees } from "@headrace/test/harness/sample-trees"
import { describe, expect, it } from "vitest"
import type { Problem } from "../foundation/problem.ts"
import type { Tree } from "../foundation/tree.ts"
import type { Plan } from "../plan/plan.ts"
import { Gates } from "../settings/gates.ts"
import { judgeGates } from "./judge-gates.ts"

type Files = { [path: string]: string | Buffer }
const signal = new AbortController().signal

async function judge(
  settings: unknown,
  files: Files,
  {
    before,
    planned = true,
    keyOf = (path) => path,
  }: { before?: Files; planned?: boolean; keyOf?: (path: string) => string } = {},
): Promise<Problem[]> {
  const { treeOf, read } = sampleTrees()
  const after = treeOf(files)
  const old = before && treeOf(before)
  const plans = old && planned ? { before: planOf(old, keyOf), after: planOf(after, keyOf) } : undefined
  const gates = Gates.parse(settings)
  const judged = { commit: "c", gates, after, before: old, plans, isShapeJudged: old !== undefined }
  return judgeGates(judged, { read, memory: { schemas: new Map() } }, signal)
}

/** One ConfigMap for each folder. */
function planOf({ files }: Tree, keyOf: (path: string) => string): Plan {
  const byFolder = Map.groupBy(files, ({ path }) => path.split("/")[0] ?? "")
  const targets = [...byFolder].map(([name, inside]) => ({
    target: { cluster: "east", namespace: "ci", name },
    view: true,
    keys: inside.map((file) => ({ key: keyOf(file.path), file, gzip: false })),
  }))
  return { targets, problems: [] }
}

const places = (problems: readonly Problem[]) =>
  problems.map(({ code, file, line, column }) =>
    [code, file, line, column].filter((part) => part !== undefined).join(" "),
  )

describe("a parse gate", () => {
  const yaml = { files: [{ glob: "jobs/**/*.yaml", parse: "yaml" }] }

  it("reads every document and points at the mistake", async () => {
    expect(
      await judge(yaml, { "jobs/a.yaml": "a: 1\n---\nb: !Ref c\n--- # nothing\n", "other.yaml": "[" }),
    ).toEqual([])
    expect(places(await judge(yaml, { "jobs/a/b.yaml": "a: 1\n---\nb: [1\nc: 2\n" }))).toEqual([
      "gate/not-parsed jobs/a/b.yaml 4 1",
    ])
    expect(places(await judge(yaml, { "jobs/a.yaml": "a: 1\nb: 2\na: 3\n" }))).toEqual([
      "gate/not-parsed jobs/a.yaml 3 1",
    ])
  })

  it("refuses what is no text, and aliases that stand for billions", async () => {
    expect(places(await judge(yaml, { "jobs/a.yaml": Buffer.from([0x61, 0xff, 0xfe]) }))).toEqual([
      "gate/not-parsed jobs/a.yaml",
    ])
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level}: &l${level} [${Array(10).fill(level ? `*l${level - 1}` : "x")}]`,
    )
    expect(places(await judge(yaml, { "jobs/a.yaml": levels.join("\n") }))).toEqual([
      "gate/not-parsed jobs/a.yaml",
    ])
  })

  it("reads JSON, and what JSON has in common with YAML is no excuse", async () => {
    const json = { files: [{ glob: "**", parse: "json" }] }
    expect(await judge(json, { "a.json": '{"a": [1, {"b": "c\\/d"}],\n\t"a": 2}' })).toEqual([])
    expect(places(await judge(json, { "a.json": '{"a": 1,\n  b: 2}' }))).toEqual([
      "gate/not-parsed a.json 2 3",
    ])
    expect(places(await judge(json, { "a.json": "" }))).toEqual(["gate/not-parsed a.json 1 1"])
    const marked = await judge(json, { "a.json": "\ufeff{}" })
    expect(places(marked)).toEqual(["gate/not-parsed a.json 1 1"])
    expect(marked[0]?.message).toContain("byte order mark")
    expect(await judge(yaml, { "jobs/a.yaml": "\ufeffa: 1\n" }), "YAML may have one (5.2)").toEqual([])
  })

  it("judges what changes, and leaves alone what is in force", async () => {
    const broken = { "jobs/a.yaml": "a: [" }
    expect(await judge(yaml, { ...broken, "jobs/b.yaml": "b: 1" }, { before: broken })).toEqual([])
    expect(places(await judge(yaml, { "jobs/a.yaml": "a: [1" }, { before: broken }))).toEqual([
      "gate/not-parsed jobs/a.yaml 1 6",
    ])
  })
})

describe("a schema gate", () => {
  const gate = { files: [{ glob: "jobs/*", schema: "schemas/job.json" }] }
  const schema = JSON.stringify({
    $schema: "http://json-schema.org/draft-07/schema#",
    type: "object",
    required: ["owner"],
    additionalProperties: false,
    properties: {
      owner: { type: "string", minLength: 1 },
      steps: { type: "array", items: { enum: ["a", "b"] } },
    },
  })
  const judged = (jobs: Files, text = schema, before?: Files) =>
    judge(gate, { "schemas/job.json": text, ...jobs }, before ? { before } : {})

  it("points at the value, at the key that is too much, and at a document that lacks one", async () => {
    expect(
      await judged({ "jobs/a.yaml": "owner: me\nsteps: [a, b]\n", "jobs/b.json": '{"owner": "me"}' }),
    ).toEqual([])
    const bad = {
      "jobs/1.yaml": 'owner: me\n---\n\nsteps:\n- a\n- c\nowner: ""\n',
      "jobs/2.yaml": "owner: me\nstep: []\n",
      "jobs/3.json": '{\n "owner": 1}',
      "jobs/4.yaml": "# nothing\n",
    }
    const problems = await judged(bad)
    expect(places(problems)).toEqual([
      "gate/schema jobs/1.yaml 7 1",
      "gate/schema jobs/2.yaml 2 1",
      "gate/schema jobs/3.json 2 2",
      "gate/schema jobs/4.yaml 1 1",
    ])
    expect(problems[0]?.message).toBe(
      '"owner" must NOT have fewer than 1 characters (gate schema: schemas/job.json, of jobs/*)',
    )
  })

  it("is read at the commit that is judged, and judges every file of its glob when it changes", async () => {
    const before = { "schemas/job.json": "{}", "jobs/a.yaml": "owner: me\n", "jobs/b.yaml": "b: 1\n" }
    expect(await judged({ "jobs/a.yaml": "owner: you\n", "jobs/b.yaml": "b: 1\n" }, "{}", before)).toEqual([])
    expect(
      places(await judged({ "jobs/a.yaml": "owner: me\n", "jobs/b.yaml": "b: 1\n" }, schema, before)),
    ).toEqual(["gate/schema jobs/b.yaml 1 1"])
  })

  it("knows every keyword of its draft, and of an object nothing but its own properties", async () => {
    const anchored =
      '{"$defs": {"o": {"$anchor": "owner", "type": "string"}}, "properties": {"owner": {"$ref": "#owner"}}}'
    expect(await judged({ "jobs/a.yaml": "owner: me\n" }, anchored)).toEqual([])
    expect(places(await judged({ "jobs/a.yaml": "owner: 1\n" }, anchored))).toEqual([
      "gate/schema jobs/a.yaml 1 1",
    ])
    // What Ajv calls strict is beyond the standard.
    const allowed = JSON.stringify({
      $schema: "https://json-schema.org/draft/2019-09/schema",
      properties: { owner: { format: "of-ours", minContains: 1 } },
      patternProperties: { "^o": { type: "string" } },
      if: { required: ["owner"] },
      additionalItems: false,
    })
    expect(await judged({ "jobs/a.yaml": "owner: me\n" }, allowed)).toEqual([])
    expect(places(await judged({ "jobs/a.yaml": "owner: 1\n" }, allowed))).toEqual([
      "gate/schema jobs/a.yaml 1 1",
    ])
    const inherited = '{"required": ["constructor", "toString"]}'
    expect(places(await judged({ "jobs/a.yaml": "owner: me\n" }, inherited))).toEqual([
      "gate/schema jobs/a.yaml 1 1",
    ])
  })

  it.each([
    ["is not there", undefined, /no JSON Schema schemas\/job.json at this commit/],
    ["is no JSON", "{", /not valid JSON, line 1/],
    [
      "names another document",
      '{"$ref": "https://example.com/s.json"}',
      /can't resolve reference https:\/\/example.com/,
    ],
    ["has a keyword that there is none", '{"requierd": ["owner"]}', /unknown keyword: "requierd"/],
    [
      "has a pattern that takes for ever",
      '{"properties": {"owner": {"pattern": "^(a+)+$"}}}',
      /longer than 500 ms/,
    ],
    ["refers to itself without end", '{"allOf": [{"$ref": "#"}]}', /cannot be used/],
    ["would answer later", '{"$async": true, "type": "string"}', /\$async is not supported/],
    ["is of a draft that is not known", '{"$schema": "http://json-schema.org/draft-04/schema#"}', /none of/],
  ])("refuses, and never lets pass, when its schema %s", async (_, text, message) => {
    const files = {
      "jobs/a.yaml": `owner: ${"a".repeat(40)}!\n`,
      ...(text === undefined ? {} : { "schemas/job.json": text }),
    }
    const problems = await judge(gate, files)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code: "gate/bad-schema", message: expect.stringMatching(message) })
  })
})

describe("the gate prow-jobs", () => {
  const gate = { files: [{ glob: "jobs/**", builtin: "prow-jobs" }] }

  it("refuses a name that is there twice, whatever the folders, and judges none that is in force twice", async () => {
    const before = { "jobs/a/x.yaml": "periodics: []", "jobs/b/x.yaml": "periodics: []" }
    expect(
      await judge(
        gate,
        { ...before, "jobs/a/y.yaml": "", "jobs/b/y.md": "", "jobs/..data/y.yaml": "" },
        { before },
      ),
    ).toEqual([])
    const problems = await judge(gate, { ...before, "jobs/c/x.yaml": "presets: []" }, { before })
    expect(places(problems)).toEqual(["gate/duplicate-name jobs/c/x.yaml 1 1"])
    expect(problems[0]?.message).toContain('"x.yaml" is there 3 times: jobs/a/x.yaml, jobs/b/x.yaml')
    const moved = { "jobs/b/x.yaml": "presets: []" }
    expect(await judge(gate, moved, { before: { "jobs/a/x.yaml": "presets: []" } }), "moved").toEqual([])
  })

  it("refuses what Prow would not read as jobs, and accepts a file without any", async () => {
    expect(await judge(gate, { "jobs/a.yaml": "---\npresubmits: {}\n", "jobs/b.yaml": "# none\n" })).toEqual(
      [],
    )
    expect(
      places(
        await judge(gate, {
          "jobs/a.yaml": "- name: x\n",
          "jobs/b.yaml": "text",
          "jobs/c.yml": "a: 1\n---\nb: 1\n",
          "jobs/d.yaml": "---\n# nothing\n---\npresubmits: {}\n",
        }),
      ),
    ).toEqual([
      "gate/no-jobs jobs/a.yaml 1 1",
      "gate/no-jobs jobs/b.yaml 1 1",
      "gate/no-jobs jobs/c.yml 3 1",
      "gate/no-jobs jobs/d.yaml 4 1",
    ])
  })
})

describe("the gate of a change", () => {
  const many = (count: number, text: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}/a`, `${text}${index}`]))
  const judgeChange = (change: unknown, before: Files, after: Files) => judge({ change }, after, { before })

  it("refuses a share of the targets, beyond five of them, and counts no new one", async () => {
    const gate = { targets: "50%" }
    expect(await judgeChange(gate, many(5, "a"), many(5, "b"))).toEqual([])
    expect(await judgeChange(gate, many(12, "a"), { ...many(12, "a"), ...many(6, "b") })).toEqual([])
    const problems = await judgeChange(gate, many(12, "a"), { ...many(12, "a"), ...many(7, "b") })
    expect(problems).toMatchObject([
      { code: "gate/targets", message: expect.stringContaining("7 of 12 ConfigMaps, more than 50%") },
    ])
    expect(await judgeChange(gate, many(12, "a"), many(40, "a"))).toEqual([])
    expect(places(await judgeChange(gate, many(12, "a"), many(3, "a"))), "targets that go").toEqual([
      "gate/targets",
    ])
  })

  it("refuses a file that grows or shrinks many times, beyond 64 KiB", async () => {
    const gate = { bytes: "x4" }
    const of = (kib: number) => ({ "jobs/a": "x".repeat(kib * 1024) })
    expect(await judgeChange(gate, of(1), of(64))).toEqual([])
    expect(await judgeChange(gate, of(20), of(79))).toEqual([])
    expect(places(await judgeChange(gate, of(20), of(80)))).toEqual(["gate/bytes jobs/a"])
    expect(places(await judgeChange(gate, of(80), of(20)))).toEqual(["gate/bytes jobs/a"])
    expect(places(await judgeChange(gate, of(80), of(0)))).toEqual(["gate/bytes jobs/a"])
    expect(await judgeChange(gate, of(0), of(80)), "from nothing").toEqual([])
    expect(await judgeChange(gate, {}, of(80)), "new").toEqual([])
  })

  it("refuses values that become empty: files, and fields of files that another gate reads", async () => {
    const gate = { change: { emptied: 2 }, files: [{ glob: "**/*.yaml", parse: "yaml" }] }
    const job = (count: number, owner: string) =>
      [
        "jobs:",
        ...Array.from({ length: count }, (_, index) => `- {name: j${index}, owner: ${owner}, extra: null}`),
      ].join("\n")
    const before = { "jobs/a.yaml": job(3, "me"), "jobs/b": "b", "jobs/c": "c", "jobs/d": "d" }
    expect(await judge(gate, { ...before, "jobs/a.yaml": job(2, '""') }, { before })).toEqual([])
    const problems = await judge(gate, { ...before, "jobs/a.yaml": `# new\n${job(3, "")}` }, { before })
    expect(places(problems)).toEqual(["gate/emptied jobs/a.yaml 3 14"])
    expect(problems[0]?.message).toBe(
      "3 values become empty, more than 2: jobs/a.yaml:3 jobs[0].owner, jobs/a.yaml:4 jobs[1].owner, jobs/a.yaml:5 jobs[2].owner (gate change.emptied)",
    )
    expect(
      places(await judge(gate, { ...before, "jobs/b": "", "jobs/c": "\n", "jobs/d": "" }, { before })),
    ).toEqual(["gate/emptied jobs/b 1 1"])
    expect(await judge(gate, { "jobs/a.yaml": job(5, '""') }, { before: {} }), "new").toEqual([])
    const none = { ...gate, change: { emptied: 0 } }
    for (const [nothing, name] of [
      ["# comments alone\n", "the whole file"],
      ["{}\n", "the whole file"],
      ["", "the whole file"],
      ["a: {}\n", "a"],
    ]) {
      const [problem, ...more] = await judge(
        none,
        { "jobs/a.yaml": `${nothing}` },
        { before: { "jobs/a.yaml": "a: {b: 1}" } },
      )
      expect(problem?.message, nothing).toContain(
        `1 values become empty, more than 0: jobs/a.yaml:1 ${name} (`,
      )
      expect(more).toEqual([])
    }
  })

  it("compares a file that moves with the one whose key it takes", async () => {
    const gate = { change: { bytes: "x1.9", emptied: 0 }, files: [{ glob: "**/*.yaml", parse: "yaml" }] }
    const moved = (before: string, after: string) =>
      judge(
        gate,
        { "jobs/new/a.yaml": after },
        { before: { "jobs/old/a.yaml": before }, keyOf: (path) => posix.basename(path) },
      )
    const large = `a: ${"x".repeat(70_000)}\n`
    expect(places(await moved(large, `${large}b: ${"y".repeat(70_000)}\n`))).toEqual([
      "gate/bytes jobs/new/a.yaml",
    ])
    expect(places(await moved("a: 1\n", "a:\n"))).toEqual(["gate/emptied jobs/new/a.yaml 1 1"])
    expect(places(await moved("a: 1\n", ""))).toEqual(["gate/emptied jobs/new/a.yaml 1 1"])
    expect(await moved(large, `${large}b: 1\n`)).toEqual([])
  })

  it("judges no first projection", async () => {
    expect(await judge({ change: { targets: "0%", bytes: "x1.1", emptied: 0 } }, many(40, "x"))).toEqual([])
  })
})
