import type { Token } from "@headrace/shared/record/record"
import { withKube } from "@headrace/test/harness/with-kube"
import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n"

/** The epoch of the first place's token. */
function epochOf(places: { [member: string]: unknown }[]): number {
  const [epoch = -1] = places.map(({ token }) => (token as Token).epoch)
  return epoch
}

it("applies directly, prints the state, holds, rewinds, approves and gives back to Prow", {
  timeout: 300_000,
}, async () => {
  await withOperator(async ({ repo, runJson }) => {
    expect((await runJson("status")).places).toMatchObject([
      { cluster: "east", source: "release", state: "absent" },
    ])
    const first = await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1", "jobs/b.yaml": "b: 1" })
    expect(await runJson("apply", "--direct")).toMatchObject({
      code: 0,
      places: [{ result: "applied", commit: first }],
    })
    expect(await runJson("apply", "--direct")).toMatchObject({
      code: 0,
      places: [{ result: "noop", written: 0 }],
    })

    expect(await runJson("hold", "--reason", "freeze", "--by", "me")).toMatchObject({
      code: 0,
      places: [{ hold: { commit: first, by: "me", until: null } }],
    })
    const second = await repo.commit({ "jobs/a.yaml": "a: 2" })
    expect((await runJson("apply", "--direct")).places).toMatchObject([{ commit: first }])
    expect((await runJson("status")).places).toMatchObject([{ state: "held", tip: second, behind: 1 }])
    await runJson("release")
    const followed = (await runJson("apply", "--direct")).places
    expect(followed).toMatchObject([{ commit: second }])

    await runJson("rewind", "--to", first, "--reason", "bad merge")
    const rewound = (await runJson("apply", "--direct")).places
    expect(rewound).toMatchObject([{ commit: first, token: { epoch: epochOf(followed) + 1 } }])
    await runJson("release")

    const emptied = await repo.commit({ "jobs/a.yaml": null, "jobs/b.yaml": null })
    expect(await runJson("apply", "--direct")).toMatchObject({
      code: 1,
      places: [{ error: { code: "guard/deleted-keys" } }],
    })
    expect((await runJson("status")).places).toMatchObject([{ state: "stopped", commit: first }])
    await runJson("approve", "--commit", emptied)
    expect((await runJson("apply", "--direct")).places).toMatchObject([
      { commit: emptied, result: "applied" },
    ])
    expect((await runJson("status")).places).toMatchObject([
      { state: "current", behind: 0, failed: [], store: { targets: 1, files: 0, bytes: 0 } },
    ])
    expect((await runJson("detach")).places).toMatchObject([{ detached: ["ci/jobs"] }])
    expect((await runJson("status")).places).toMatchObject([{ state: "absent" }])
  })
})

it("rewinds into the epoch that the operator names", { timeout: 180_000 }, () =>
  withOperator(async ({ repo, runJson }) => {
    const commit = await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1" })
    const epoch = epochOf((await runJson("apply", "--direct")).places) + 5000
    const rewind = (...args: string[]) => runJson("rewind", "--to", commit, "--reason", "restored", ...args)
    for (const wrong of ["1e15", "-1", "0"]) expect((await rewind(`--epoch=${wrong}`)).code).toBe(2)
    expect(await rewind("--epoch", String(epoch), "--wait")).toMatchObject({ code: 0, places: [{ commit }] })
    expect((await runJson("status")).places).toMatchObject([{ state: "held", commit, token: { epoch } }])
  }),
)

it("prints what a word did on each cluster, and what kept one of them from it", { timeout: 180_000 }, () =>
  withOperator(({ repo, kube, run, writeConfig }) =>
    withKube(async (other) => {
      const settle = (kubeconfig: string) =>
        writeConfig({
          clusters: {
            east: { kubeconfig: kube.kubeconfigFile, namespaces: ["*"] },
            west: { kubeconfig, namespaces: ["*"] },
          },
        })
      await settle(other.kubeconfigFile)
      const rules = RULES.replace("{east: [ci]}", "{east: [ci], west: [ci]}")
      const first = await repo.commit({ "rules.yaml": rules, "jobs/a.yaml": "a: 1" })
      await run("apply", "--direct")
      const second = await repo.commit({ "jobs/a.yaml": "a: 2" })
      await run("apply", "--direct")
      const rewound = await run("rewind", "--to", first, "--reason", "x", "--wait")
      expect([rewound.code, rewound.stdout]).toEqual([
        0,
        `release in east: held at ${first}, shows ${first}\nrelease in west: held at ${first}, shows ${first}\n`,
      ])
      for (const { store } of [kube, other])
        expect(await inProcessClient(store).get("ci", "jobs")).toMatchObject({ data: { "a.yaml": "a: 1" } })

      await settle("/nowhere/kubeconfig")
      const released = await run("release", "--wait")
      expect([released.code, released.stdout]).toEqual([
        1,
        expect.stringMatching(
          new RegExp(`^release in east: follows its branch, shows ${second}\nrelease in west: .*\\[kube/`),
        ),
      ])
    }),
  ),
)

it("shows ConfigMaps that no rule names any more, and removes them when asked to", {
  timeout: 300_000,
}, async () => {
  await withOperator(async ({ repo, runJson }) => {
    await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1" })
    await runJson("apply", "--direct")
    const renamed = await repo.commit({ "rules.yaml": RULES.replace("name: jobs", "name: work") })
    await runJson("approve", "--commit", renamed)
    expect((await runJson("apply", "--direct")).places).toMatchObject([{ orphans: ["ci/jobs"], pruned: [] }])
    expect((await runJson("apply", "--direct", "--prune")).places).toMatchObject([
      { orphans: [], pruned: ["ci/jobs"] },
    ])
    expect((await runJson("apply", "--direct")).places).toMatchObject([{ orphans: [], result: "noop" }])
  })
})

it("names what is wrong with the call and ends with 2", async () => {
  await withOperator(async ({ runJson }) => {
    expect((await runJson("status", "--cluster", "nowhere")).code).toBe(2)
    expect((await runJson("rewind", "--to", "abc", "--reason", "x")).code).toBe(2)
    for (const until of ["5", "2001-01-01T00:00:00Z"])
      expect((await runJson("hold", "--reason", "x", "--until", until)).code).toBe(2)
  })
})
