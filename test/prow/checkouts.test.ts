import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { expect, it } from "vitest"
import { programsThatRan, setForeignConfig } from "../harness/foreign-config.ts"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { withOperator } from "../harness/with-operator.ts"
import type { TestRepo } from "../harness/with-repo.ts"

const RULES = `config_updater:
  maps:
    a/*: {name: plain, clusters: {east: [ci]}}
    current/*.yaml: {name: linked, clusters: {east: [ci]}}
`
const SLOW = { timeout: 240_000 }

it("runs nothing that a checkout's configuration names, in any command", SLOW, () =>
  withOperator(async ({ repo, config, run }) => {
    const marks = join(repo.scratch, "marks")
    await repo.commit({ "rules.yaml": RULES, "a/x": "1\n" })
    await repo.commit({ ".gitattributes": "a/* filter=evil diff=evil\n", "a/x": "2\n" })
    await setForeignConfig(join(repo.folder, ".git"), marks)
    const folder = ["--source-path", repo.folder, "--rules", "rules.yaml"]
    const here = (...args: string[]) => runBootstrapper(args, repo.folder)
    const runs = {
      plan: await here("plan", ...folder),
      check: await here("check", ...folder, "--base", "main~1"),
      "check --repo": await here("check", "--repo", repo.folder, "--ref", "main", "--rules", "rules.yaml"),
      "diff --source-path": await here("diff", ...folder, "--config", config),
      "apply --source-path": await here(
        "apply",
        `--source-path=${repo.folder}`,
        "--config",
        config,
        "--dry-run=false",
      ),
      "apply --direct": await run("apply", "--direct"),
    }
    expect(
      Object.entries(runs).map(([name, { code, stderr }]) => [name, code, /error/i.test(stderr)]),
    ).toEqual([
      ["plan", 0, false],
      ["check", 0, false],
      ["check --repo", 0, false],
      ["diff --source-path", 1, false],
      ["apply --source-path", 0, false],
      ["apply --direct", 0, false],
    ])
    // The file has another time now: git would look at it, through its filter.
    await writeFile(join(repo.folder, "a/x"), "3\n")
    const filtered = await here("plan", ...folder)
    expect(filtered).toMatchObject({ code: 1, stderr: expect.stringContaining("[git/filtered]") })
    const dirty = await here("apply", `--source-path=${repo.folder}`, "--config", config)
    expect(dirty.stderr).toContain("git/dirty")
    expect(await programsThatRan(marks)).toEqual([])
  }),
)

/** What makes a tree half known, and the words for it; one after the other. */
const HALF_KNOWN: readonly (readonly [words: string, change: (repo: TestRepo) => Promise<unknown>])[] = [
  [
    "symbolic link current points to releases/v1, which is not in the tree",
    (repo) => repo.commit({ "releases/v1": null }),
  ],
  [
    "symbolic link current points to ring, which leads back to the link itself",
    (repo) => repo.commit({ current: { link: "ring" }, ring: { link: "current" } }),
  ],
  [
    "current is a submodule, whose files are not part of this source",
    async (repo) => {
      await repo.commit({ current: null, ring: null })
      await repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},current`)
      await repo.git("commit", "--quiet", "--message", "submodule")
      // As a clone has it that does not fetch submodules.
      await mkdir(join(repo.folder, "current"))
    },
  ],
]

it("says of a half-known tree what apply says, in plan, check and diff over its checkout", SLOW, () =>
  withOperator(async ({ repo, run }) => {
    const linked = { "releases/v1/1.yaml": "1", "releases/v1/2.yaml": "2", current: { link: "releases/v1" } }
    await repo.commit({ "rules.yaml": RULES, "a/x": "1\n", ...linked })
    await run("apply", "--direct")
    const folder = ["--source-path", repo.folder, "--rules", "rules.yaml"]
    for (const [words, change] of HALF_KNOWN) {
      await change(repo)
      const said = expect.stringContaining(words)
      expect(await run("apply", "--direct")).toMatchObject({ code: 1, stdout: said })
      const plan = await runBootstrapper(["plan", ...folder])
      const check = await runBootstrapper(["check", ...folder])
      expect([plan.code, plan.stderr]).toEqual([1, said])
      expect([check.code, check.stdout]).toEqual([1, said])
      expect((await run("diff", ...folder)).stderr).toEqual(said)
    }
  }),
)

it("names the attribute for which a clone, and so Prow, has other bytes than git", SLOW, () =>
  withOperator(async ({ repo, kube, run, runJson }) => {
    await repo.commit({
      ".gitattributes": "a/* text eol=crlf\na/id ident\n",
      "rules.yaml": RULES,
      "a/x": "1\n2\n",
      "a/id": "$Id$\n",
      "a/y": "y\n",
    })
    expect((await run("apply", "--direct")).code).toBe(0)
    const client = inProcessClient(kube.store)
    const plain = await client.get("ci", "plain")
    if (plain)
      await client.replace({ ...plain, data: { ...plain.data, x: "1\r\n2\r\n", id: "$Id: 12 $\r\n" } })
    const keys = {
      id: { kind: "changed", attributes: ["eol=crlf", "ident"] },
      x: { kind: "changed", attributes: ["eol=crlf"] },
    }
    expect(await runJson("diff")).toMatchObject({ code: 1, places: [{ name: "plain", keys }] })
    const folder = ["--source-path", repo.folder, "--rules", "rules.yaml"]
    expect(await runJson("diff", ...folder)).toMatchObject({ code: 1, places: [{ name: "plain", keys }] })
    expect((await run("diff", ...folder)).stdout).toContain(
      "changed x: 6 to 4 bytes (eol=crlf in .gitattributes",
    )
  }),
)
