import { join } from "node:path"
import { checkSource } from "@headrace/bootstrapper/commands/check/run"
import { Gates } from "@headrace/shared/settings/gates"
import { describe, expect, it } from "vitest"
import { reconcileFixture } from "../harness/reconcile-fixture.ts"
import { DISASTER_GATES, DISASTER_RULES, STAGED_DISASTERS } from "../harness/staged-disasters.ts"
import { withRepo } from "../harness/with-repo.ts"

/** What a gate of another kind says where this one is turned off: no disaster hangs on one setting. */
const OTHER_GATES: { [code: string]: { gates: unknown; code: string } } = {
  "gate/bytes": { gates: { ...DISASTER_GATES, change: undefined }, code: "gate/schema" },
  "gate/emptied": { gates: { ...DISASTER_GATES, change: undefined }, code: "gate/schema" },
  "gate/duplicate-name": { gates: DISASTER_GATES, code: "gate/duplicate-name" },
}

function fixture(good: { [path: string]: string }, gates: unknown) {
  const settings = { gates: Gates.parse(gates), guard: "off" as const }
  return reconcileFixture(good, { rules: DISASTER_RULES, settings })
}

describe.each(STAGED_DISASTERS)("$name", ({ good, bad, code, place }) => {
  it("is stopped by a gate before any write, in every run, and by another kind of gate too", async () => {
    for (const each of [{ gates: DISASTER_GATES, code }, OTHER_GATES[code]]) {
      const here = fixture(good, each?.gates)
      await here.run()
      const [shown, writes] = [await here.record(), here.writes.length]
      const commit = here.commit(bad)
      for (const mode of ["incremental", "full"] as const) {
        const message = expect.stringMatching(new RegExp(`^${place.file}`))
        expect(await here.run(mode)).toMatchObject({
          result: "stopped",
          commit: shown.commit,
          stopped: { code: each?.code, commit, message },
        })
      }
      expect(here.writes.slice(writes).filter((write) => write !== "replace release")).toEqual([])
    }
  })

  it("is written without gates", async () => {
    const here = fixture(good, {})
    await here.run()
    const commit = here.commit(bad)
    expect(await here.run()).toMatchObject({ result: "applied", commit })
  })

  it("is shown by check on the pull request, at its file and line", () =>
    withRepo(async (repo) => {
      await repo.commit({ ...good, "headrace.yaml": settingsOf(DISASTER_GATES) })
      await repo.git("branch", "base")
      await repo.commit(bad)
      const { problems } = await checkSource(
        [repo.folder],
        {
          rules: join(repo.folder, "rules.yaml"),
          config: join(repo.folder, "headrace.yaml"),
          base: "base",
          otherRules: [],
          defaultCluster: "east",
          defaultNamespace: "ci",
          strict: false,
          prow: true,
          output: "text",
        },
        new AbortController().signal,
      )
      expect(problems.filter(({ severity }) => severity === "error")).toContainEqual(
        expect.objectContaining({ code, ...place }),
      )
    }))
})

function settingsOf(gates: unknown): string {
  return JSON.stringify({
    version: 1,
    sources: { jobs: { url: "https://github.com/org/jobs.git", branch: "main", rules: "rules.yaml", gates } },
    clusters: { east: { inCluster: true }, west: { kubeconfig: "/nowhere" } },
  })
}
