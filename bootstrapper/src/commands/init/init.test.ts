import { join } from "node:path"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { withRepo } from "@headrace/test/harness/with-repo"
import fc from "fast-check"
import { describe, expect, it, vi } from "vitest"
import { proposeRules, unmatchedFiles } from "./propose-rules.ts"
import { rulesText } from "./rules-text.ts"
import { runInit } from "./run.ts"

const PLACE = { cluster: "default", namespace: "ci" }
const CONTEXT = { repo: undefined, defaults: PLACE }

function treeOf(sizes: Record<string, number>): TreeFile[] {
  return Object.entries(sizes)
    .map(([path, size]) => ({ path, size, oid: path }) as TreeFile)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The keys of each ConfigMap of what is proposed for these files. */
function planned(files: readonly TreeFile[]) {
  const text = rulesText(proposeRules(files, "plugins.yaml"), PLACE)
  const { rules, problems } = parseRules(text, "plugins.yaml")
  expect(problems).toEqual([])
  if (!rules) throw new Error(text)
  const plan = planTargets(rules, { files: [...files], problems: [] }, CONTEXT)
  return { text, plan, keys: plan.targets.flatMap(({ keys }) => keys.map(({ file }) => file.path)) }
}

describe("proposed rules", () => {
  it("give each folder a ConfigMap, from the topmost that has files of its own", () => {
    const { plan, text } = planned(
      treeOf({
        "config/jobs/a.yaml": 10,
        "config/jobs/deep/b.yaml": 10,
        "config/sites/c.json": 2000,
        "top.yaml": 1,
        "README.md": 9,
        ".github/w.yaml": 9,
      }),
    )
    expect(plan.targets.map(({ target, keys }) => [target.name, keys.map(({ key }) => key)])).toEqual([
      ["config-jobs", ["a.yaml", "b.yaml"]],
      ["config-sites", ["c.json"]],
      ["yaml", ["top.yaml"]],
    ])
    expect(text).toContain("# 2 files, 20 bytes.")
  })

  it("use whole paths where names meet, partitions near 1 MiB, and agents alone beyond", () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`large/${at}.bin`, 50_000]))
    const { plan, text } = planned(
      treeOf({
        "teams/a/x.yaml": 1,
        "teams/b/x.yaml": 1,
        "teams/y.yaml": 1,
        ...many,
        "huge/model.bin": 5_000_000,
      }),
    )
    expect(plan.problems).toEqual([])
    expect(text).toContain("use_full_path_as_key: true")
    expect(text).toContain('partitioned_names: ["large-0", "large-1", "large-2"]')
    expect(plan.targets.find(({ target }) => target.name === "huge")?.view).toBe(false)
  })

  it("join many folders of one kind, name what no rule names, and leave few folders as they are", () => {
    const team = (at: number) => [`teams/t${at}/jobs/a.yaml`, 5] as const
    const files = treeOf({
      ...Object.fromEntries(Array.from({ length: 30 }, (_, at) => team(at))),
      "sites/one/a.yaml": 5,
      "sites/two/a.yaml": 5,
      "sites/owners.yaml/b": 5,
      OWNERS: 5,
    })
    const { plan } = planned(files)
    expect(plan.targets.map(({ target, keys }) => [target.name, keys.length])).toEqual([
      ["sites-one", 1],
      ["sites-owners-yaml", 1],
      ["sites-two", 1],
      ["teams", 30],
    ])
    expect(unmatchedFiles(files, proposeRules(files, ""), "")).toEqual(["OWNERS"])
    expect(rulesText(proposeRules(files, ""), PLACE, ["OWNERS", "b"])).toContain(
      "documents: OWNERS and 1 more.",
    )
  })

  it("count a document in a folder with configuration, which the glob matches", () => {
    const files = treeOf({ "a/b/README.md": 1, "a/c/README.md": 1, "a/x.yaml": 1, "docs/README.md": 1 })
    const { plan, text } = planned(files)
    expect(plan.problems).toEqual([])
    expect(text).toContain("# 3 files, 3 bytes.")
    expect(unmatchedFiles(files, proposeRules(files, ""), "")).toEqual(["docs/README.md"])
  })

  it("lose no file, whatever the folders are called", () => {
    const part = fc.stringMatching(/^[a-zA-Z0-9_-]{1,6}$/)
    const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `${parts.join("/")}.yaml`)
    fc.assert(
      fc.property(fc.uniqueArray(path, { minLength: 1, maxLength: 20 }), (paths) => {
        const wanted = paths.filter(
          (one) =>
            !/(^|\/)(readme|license|licence|notice|changelog|contributing|owners|makefile|dockerfile)$/i.test(
              one,
            ),
        )
        fc.pre(wanted.length > 0)
        const { keys, plan } = planned(treeOf(Object.fromEntries(wanted.map((one) => [one, 5]))))
        expect(plan.problems.filter(({ code }) => code !== "plan/key-collision")).toEqual([])
        expect(keys.length + plan.problems.length).toBeGreaterThanOrEqual(wanted.length)
      }),
    )
  })
})

describe("init", () => {
  const options = (sourcePath: string) => ({
    sourcePath,
    rules: "plugins.yaml",
    dryRun: false,
    defaultCluster: "default",
    defaultNamespace: "ci",
  })
  const { signal } = new AbortController()

  it("writes rules that check, once", () =>
    withRepo(async (repo) => {
      await repo.commit({ "jobs/a.yaml": "a: 1\n", "jobs/b.yaml": "b: 1\n" })
      expect(await runInit(options(repo.folder), signal)).toBe(0)
      await expect(runInit(options(repo.folder), signal)).rejects.toMatchObject({ code: "init/exists" })
      const deeper = { ...options(repo.folder), rules: "new/plugins.yaml" }
      expect(await runInit(deeper, signal)).toBe(0)
      const elsewhere = { ...options(repo.folder), rules: "jobs/a.yaml/plugins.yaml" }
      await expect(runInit(elsewhere, signal)).rejects.toMatchObject({ code: "init/unwritable" })
    }))

  it("writes below the repository alone, and names the path that git knows", () =>
    withRepo(async (repo) => {
      await repo.commit({ "jobs/a.yaml": "a: 1\n" })
      const at = (rules: string) => runInit({ ...options(repo.folder), rules }, signal)
      for (const outside of [join(repo.scratch, "p.yaml"), "../p.yaml", ".", "jobs/../../p.yaml"]) {
        await expect(at(outside)).rejects.toMatchObject({ code: "init/rules-path" })
      }
      const write = vi.spyOn(process.stdout, "write").mockReturnValue(true)
      try {
        expect(await at(join(repo.folder, "deep/p.yaml"))).toBe(0)
        expect(write.mock.calls.join("")).toContain("git add deep/p.yaml &&")
      } finally {
        write.mockRestore()
      }
      await repo.git("add", "deep/p.yaml")
    }))

  it("says so where there is nothing to name", () =>
    withRepo(async (repo) => {
      await repo.commit({ "README.md": "# a\n" })
      await expect(runInit(options(repo.folder), signal)).rejects.toMatchObject({ code: "init/no-files" })
    }))
})
