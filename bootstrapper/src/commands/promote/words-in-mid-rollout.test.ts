import { join } from "node:path"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { postReport } from "@headrace/test/harness/post-lease"
import { type Operator, withOperator } from "@headrace/test/harness/with-operator"
import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n"
const WORD = ["--reason", "incident 42", "--by", "ada"]

function job(number: number) {
  return { "jobs/a.yaml": `a: ${number}` }
}

async function recordOf({ kube }: Operator) {
  const configMap = await inProcessClient(kube.store).get("headrace", "release")
  if (configMap === undefined) throw new Error("there is a record")
  return readRecord(configMap)
}

/** A node whose agent reports what the record has in force, unless `rollout` says otherwise. */
async function postNode(site: Operator, rollout: { [member: string]: unknown }): Promise<void> {
  const { token, root } = await recordOf(site)
  const own = { labels: {}, keepsBaseline: null, shown: { token, root }, checks: "none", failed: null }
  const report = {
    ...{ format: 2, node: "n1", record: "headrace/release", projections: [], more: 0, lowest: token },
    rollout: { ...own, ...rollout },
  }
  await postReport(site.kube, "n1", JSON.stringify(report), 0)
}

/** An operator whose source is rolled out in two stages, with a commit in force and another one that is tried. */
async function withRollout(
  use: (site: Operator, commits: { baseline: string; candidate: string }) => Promise<void>,
  hasWest = false,
): Promise<void> {
  await withOperator(async (site) => {
    const { repo } = site
    const rollout = { stages: [{ nodes: "50%", bake: "1h" }, {}] }
    // Nothing listens where it is.
    const west = { kubeconfig: join(repo.scratch, "no-kubeconfig") }
    await site.writeConfig({
      sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml", rollout } },
      clusters: { east: { kubeconfig: site.kube.kubeconfigFile }, ...(hasWest ? { west } : {}) },
    })
    const baseline = await repo.commit({ "rules.yaml": RULES, ...job(1) })
    await site.runJson("apply", "--direct", "--cluster", "east")
    await postNode(site, {})
    const candidate = await repo.commit(job(2))
    await site.runJson("apply", "--direct", "--cluster", "east")
    expect(await recordOf(site)).toMatchObject({ commit: baseline, candidate: { commit: candidate } })
    await use(site, { baseline, candidate })
  })
}

describe("an operator's word in mid-rollout", () => {
  it("promotes at once, is recorded, and is for nothing where no rollout is under way", () =>
    withRollout(async (site, { baseline, candidate }) => {
      const shown = (await site.runJson("status")).places
      expect(shown).toMatchObject([{ commit: baseline, rollout: { commit: candidate, stage: 1, stages: 2 } }])
      const promoted = await site.runJson("promote", "--now", ...WORD, "--wait")
      expect(promoted).toMatchObject({ code: 0, places: [{ rollout: "promoted without its bake times" }] })
      expect(await recordOf(site)).toMatchObject({ commit: candidate, candidate: null })
      const late = await site.run("promote", "--now", ...WORD, "--wait")
      expect([late.code, late.stderr]).toEqual([1, expect.stringContaining("[rollout/none]")])
      expect((await site.run("promote", ...WORD)).code).toBe(2)
      expect((await site.run("promote", "--now", "--reason", " ")).stderr).toContain("[hold/reason]")
    }))

  it("holds or rewinds by a return, which rejects nothing; a release tries again", () =>
    withRollout(async (site, { baseline, candidate }) => {
      await site.runJson("hold", ...WORD, "--wait")
      const held = await recordOf(site)
      expect(held).toMatchObject({ commit: baseline, candidate: null, rejected: null, hold: { by: "ada" } })
      await site.runJson("release", "--wait")
      await site.runJson("apply", "--direct")
      expect(await recordOf(site)).toMatchObject({ commit: baseline, candidate: { commit: candidate } })

      await site.runJson("rewind", "--to", candidate, ...WORD, "--wait")
      const rewound = await recordOf(site)
      expect(rewound).toMatchObject({ commit: candidate, candidate: null, rejected: null })
      expect(rewound.token.epoch).toBeGreaterThan(held.token.epoch)
    }))

  it("has a rollout continue without a cluster that does not answer, in the records of the others", () =>
    withRollout(async (site) => {
      const without = await site.run("rollout", "skip", ...WORD)
      expect([without.code, without.stderr]).toEqual([2, expect.stringContaining("[flag/cluster]")])
      expect((await site.run("rollout", "skip", "--cluster", "nowhere", ...WORD)).code).toBe(2)
      const skipped = await site.runJson("rollout", "skip", "--cluster", "west", ...WORD)
      expect(skipped).toMatchObject({ code: 0, places: [{ cluster: "east" }] })
      const { candidate } = await recordOf(site)
      expect(candidate).toMatchObject({
        skipped: ["west"],
        word: { by: "ada", reason: "incident 42" },
      })
    }, true))

  it("lifts a rejection, after which the commit is tried again", () =>
    withRollout(async (site, { baseline, candidate }) => {
      const { candidate: tried } = await recordOf(site)
      const failed = {
        ...{ token: tried?.token, root: tried?.root, projection: "jobs", code: "projection/returned" },
        ...{ message: "http[0]: answered 500", since: "2026-01-01T00:00:00Z" },
      }
      await postNode(site, { failed })
      await site.runJson("apply", "--direct")
      expect(await recordOf(site)).toMatchObject({
        ...{ commit: baseline, candidate: null },
        rejected: { commit: candidate, code: "rollout/node-failed" },
      })
      const text = (await site.run("status")).stdout
      expect(text).toContain("was tried and went back")
      expect(text.replace(/\s+/g, " ")).toContain(`approve --rejection --commit ${candidate.slice(0, 12)}`)
      await site.runJson("apply", "--direct")
      expect(await recordOf(site)).toMatchObject({ candidate: null, rejected: { commit: candidate } })
      expect(
        (await site.run("approve", "--rejection", "--commit", candidate, "--cluster", "east")).code,
      ).toBe(2)
      await postNode(site, {})
      expect((await site.run("approve", "--rejection", "--commit", candidate, "--reason", " ")).code).toBe(2)
      await site.runJson("approve", "--rejection", "--commit", candidate, ...WORD, "--wait")
      await site.runJson("apply", "--direct")
      const word = { by: "ada", reason: "incident 42", at: expect.any(String) }
      expect(await recordOf(site)).toMatchObject({ rejected: null, candidate: { commit: candidate, word } })
    }))
})
