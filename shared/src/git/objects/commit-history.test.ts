import "@headrace/test/harness/property-seed"
import { execFileSync } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { testGitEnvironment, withRepo } from "@headrace/test/harness/with-repo"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { sha256 } from "../../foundation/digest.ts"
import { CommitTable } from "./commit-table.ts"
import { RepositoryReader } from "./repository-reader.ts"

/** A commit of a random history: the distances of its parents, and how far its clock is off, in seconds. */
interface Drawn {
  parents: number[]
  skew: number
}

interface History {
  reader: RepositoryReader
  ids: string[]
  /** Of each commit, itself included, by their places in `ids`. */
  ancestors: Set<number>[]
}

const HOUR = 3600
const commits = fc.array(
  fc.record({
    // Mostly the commit before, as on a branch, and from time to time a merge or a fork from long before.
    parents: fc.oneof<{ arbitrary: fc.Arbitrary<number[]>; weight: number }[]>(
      { weight: 6, arbitrary: fc.constant([1]) },
      { weight: 2, arbitrary: fc.tuple(fc.constant(1), fc.integer({ min: 2, max: 40 })) },
      { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 2, max: 40 })) },
      { weight: 1, arbitrary: fc.constant([]) },
    ),
    skew: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -9 * HOUR, max: 9 * HOUR }),
      fc.constant(-400 * 24 * HOUR),
    ),
  }),
  { minLength: 30, maxLength: 90 },
)

describe("counting and containment", () => {
  it("are what the graph says, whatever the commits' dates", async () => {
    await fc.assert(
      fc.asyncProperty(commits, fc.infiniteStream(fc.nat()), async (drawn, choices) => {
        await withHistory(drawn, (history) => expectGraph(history, choices))
      }),
      { numRuns: Number(process.env.HEADRACE_SKEW_RUNS ?? 4) },
    )
  })

  it("counts a merge of a branch from before eight commits whose clocks are an hour behind", async () => {
    const line = Array.from({ length: 30 }, (_, at) => ({ parents: at === 0 ? [] : [1], skew: 0 }))
    const late = Array.from({ length: 8 }, () => ({ parents: [1], skew: -HOUR }))
    // The branch starts at the thirtieth commit, and is merged onto the eighth of those that are late.
    const merged = [...line, ...late, { parents: [9], skew: HOUR }, { parents: [2, 1], skew: HOUR }]
    await withHistory(merged, async ({ reader, ids }) => {
      expect(await reader.seqOf(ids[37] ?? "")).toBe(38)
      expect(await reader.seqOf(ids[39] ?? "")).toBe(40)
      expect(await reader.contained(ids[39] ?? "", ids)).toEqual(new Set(ids))
    })
  })

  it("follow a branch that was rewritten and comes back", () =>
    withRepo(async (repo) => {
      const reader = new RepositoryReader(join(repo.folder, ".git"))
      const start = await repo.tip()
      const first = await repo.commit({ a: "1" })
      expect(await reader.seqOf(first)).toBe(2)
      await repo.forcePush(start)
      const second = [await repo.commit({ b: "1" }), await repo.commit({ b: "2" })] as const
      expect(await reader.seqOf(second[1])).toBe(3)
      expect(await reader.contains(second[1], first)).toBe(false)
      await repo.forcePush(first)
      const third = await repo.commit({ c: "1" })
      expect(await reader.seqOf(third)).toBe(3)
      expect(await reader.contains(third, first)).toBe(true)
      expect(await reader.contains(third, second[0])).toBe(false)
      const foreign = await repo.git("commit-tree", `${start}^{tree}`, "-m", "another root")
      expect(await reader.contained(third, [start, first, foreign, ...second])).toEqual(
        new Set([start, first]),
      )
      expect(await reader.contained("1".repeat(40), [start])).toEqual(new Set())
      reader.close()
    }))
})

it("keeps the order of any number of ids, each once", () => {
  const ids = Array.from({ length: 5000 }, (_, at) => sha256(`commit ${at}`).slice(0, 40))
  const table = new CommitTable(ids[0] ?? "")
  for (const id of [...ids, ...ids]) table.add(id)
  expect(table.size).toBe(5000)
  expect(ids.map((id) => table.rowOf(id))).toEqual(ids.map((_, at) => at))
  expect(table.rowOf("f".repeat(40))).toBeUndefined()
  expect(table.rowOf("f".repeat(64))).toBeUndefined()
})

/** A branch that advances, as fetches see it; between the fetches questions about any commit. */
async function expectGraph(
  { reader, ids, ancestors }: History,
  choices: Iterator<number, unknown>,
): Promise<void> {
  function choose(): number {
    return Number(choices.next().value) % ids.length
  }
  for (let tip = 3; tip < ids.length; tip += 1 + (choose() % 5)) {
    for (const at of [tip, choose()]) expect(await reader.seqOf(ids[at] ?? "")).toBe(ancestors[at]?.size)
    const [one, other] = [choose(), choose()]
    const contains = await reader.contains(ids[one] ?? "", ids[other] ?? "")
    expect(contains).toBe(ancestors[one]?.has(other))
  }
  for (const at of [ids.length - 1, choose()]) {
    const contained = await reader.contained(ids[at] ?? "", [...ids, "1".repeat(40), "--all"])
    expect(contained).toEqual(new Set(ids.filter((_, index) => ancestors[at]?.has(index))))
  }
}

/** Builds the history with git, and the ancestors of each commit, itself included, without it. */
async function withHistory(drawn: readonly Drawn[], fn: (history: History) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-history-"))
  const reader = new RepositoryReader(folder)
  try {
    const parents = drawn.map(parentsOf)
    const ancestors: Set<number>[] = []
    for (const [at, own] of parents.entries()) {
      ancestors.push(new Set([at, ...own.flatMap((parent) => [...(ancestors[parent] ?? [])])]))
    }
    execFileSync("git", ["init", "--quiet", "--bare", folder], { env: testGitEnvironment })
    const marks = join(folder, "marks")
    const input = drawn.map(({ skew }, at) =>
      commitText(at, 1_700_000_000 + at * 60 + skew, parents[at] ?? []),
    )
    execFileSync("git", ["-C", folder, "fast-import", "--quiet", `--export-marks=${marks}`], {
      input: input.join(""),
      env: testGitEnvironment,
    })
    const ids: string[] = []
    for (const line of (await readFile(marks, "utf8")).trim().split("\n")) {
      const [mark = "", id = ""] = line.split(" ")
      ids[Number(mark.slice(1)) - 1] = id
    }
    await fn({ reader, ids, ancestors })
  } finally {
    reader.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function parentsOf({ parents }: Drawn, at: number): number[] {
  return [...new Set(parents.map((distance) => at - distance).filter((parent) => parent >= 0))]
}

/** One commit in the language of git-fast-import(1). */
function commitText(at: number, date: number, [first, ...others]: readonly number[]): string {
  const message = `commit ${at}`
  return [
    `commit refs/heads/c${at}`,
    `mark :${at + 1}`,
    `committer Test <test@example.com> ${date} +0000`,
    `data ${message.length}`,
    message,
    ...(first === undefined ? [] : [`from :${first + 1}`]),
    ...others.map((parent) => `merge :${parent + 1}`),
    "",
    "",
  ].join("\n")
}
