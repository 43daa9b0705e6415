import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadRecord } from "@headrace/shared/reconcile/record/swap-record"
import { REPORT_SELECTOR } from "@headrace/shared/record/node-report"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readReport } from "@headrace/shared/record/report-of-lease"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { expect, it } from "vitest"
import { DISASTER_RULES, STAGED_DISASTERS } from "../harness/staged-disasters.ts"
import { until } from "../harness/until.ts"
import { withAgentProcess } from "../harness/with-agent-process.ts"
import { type Operator, withOperator } from "../harness/with-operator.ts"

// Changes that once reached everybody at once, with the gates off: real agents, whose consumers notice, stop them.

/** Each disaster takes some seconds: the short form stages the last one, HEADRACE_DISASTERS=long all three. */
const DISASTERS = process.env.HEADRACE_DISASTERS === "long" ? STAGED_DISASTERS : STAGED_DISASTERS.slice(-1)
const NODES = ["node-1", "node-2", "node-3"]
const ROLLOUT = { stages: [{ nodes: "34%", bake: "300ms" }, {}], health: { nodes: { within: "60s" } } }
const log = createLog("test", { level: "silent" })

/** As a consumer that loads the revision finds it: no more features than it has room for, every quota, every job. */
const CONSUMER = `#!/bin/sh
cd "$HEADRACE_PATH" || exit 1
[ "$(grep -c '"name"' generated/features.json)" -le 200 ] || { echo "too many features" >&2; exit 1; }
! grep -q 'quota: *$' policies/quota.yaml || { echo "a policy has no quota" >&2; exit 1; }
grep -rq 'name: a-build' jobs || { echo "job a-build is gone" >&2; exit 1; }
`

/** Runs one agent for each node while `use` works with them. */
async function withNodes(site: Operator, folder: string, use: () => Promise<void>): Promise<void> {
  const check = join(folder, "consumer")
  await writeFile(check, CONSUMER, { mode: 0o755 })
  const start = NODES.reduceRight<() => Promise<void>>(
    (inner, node) => async () => {
      const own = join(folder, node)
      await mkdir(own)
      const settings = `report: {node: ${node}}
projections:
  all:
    path: ${own}/shown
    durability: none
    from:
      - {configMap: ci/jobs, under: jobs}
      - {configMap: ci/policies, names: paths}
      - {configMap: ci/generated, names: paths}
    after: [{exec: [${check}], every: 100ms}]
`
      await withAgentProcess({ folder: own, kubeconfigFile: site.kube.kubeconfigFile, settings }, inner)
    },
    use,
  )
  await start()
}

/** The nodes that have ever had a commit on disk: revisions stay for ten minutes. */
async function nodesWith(folder: string, commit: string): Promise<string[]> {
  const found = await Promise.all(
    NODES.map(async (node) => {
      const slots = await readdir(join(folder, node, "shown/..rev"), { recursive: true })
      return slots.some((path) => path.endsWith(`/${commit}`)) ? [node] : []
    }),
  )
  return found.flat()
}

async function shownCommits(folder: string): Promise<string[]> {
  return Promise.all(
    NODES.map(async (node) => {
      const text = await readFile(join(folder, node, "shown/..rev/published.json"), "utf8").catch(() => "{}")
      return (JSON.parse(text) as { returned?: unknown }).returned ? "returned" : await linked(folder, node)
    }),
  )
}

async function linked(folder: string, node: string): Promise<string> {
  const link = await readlink(join(folder, node, "shown/..data")).catch(() => "")
  return link.slice(link.lastIndexOf("/") + 1)
}

/** Looks again until the record is as wanted. */
async function runUntil(
  reconciler: Reconciler,
  isDone: (record: SourceRecord) => Promise<boolean> | boolean,
): Promise<SourceRecord> {
  const { signal } = new AbortController()
  let record: SourceRecord | undefined
  await until(async () => {
    // A lane looks again after a second; each look fetches.
    await delay(200)
    await reconciler.run("east", "release", "incremental", signal)
    const state = await loadRecord(await reconciler.kube("east"), "headrace", "release", signal)
    record = state?.record
    return record !== undefined && (await isDone(record))
  })
  if (record === undefined) throw new Error("there is a record")
  return record
}

/** True once every node reports that it shows what the record has in force, and nothing else. */
async function areSettled(reconciler: Reconciler): Promise<boolean> {
  const { signal } = new AbortController()
  const kube = await reconciler.kube("east")
  const state = await loadRecord(kube, "headrace", "release", signal)
  const reports = (await kube.listLeases("headrace", REPORT_SELECTOR, signal)).map(readReport)
  const settled = reports.filter((report) => {
    const { shown, failed } = report?.rollout ?? {}
    return shown?.root === state?.record.root && shown?.token.epoch === state?.record.token.epoch && !failed
  })
  return settled.length === NODES.length
}

it("stops a staged disaster at the first stage, where the gates are off", {
  timeout: 300_000,
}, async () => {
  await withOperator(async (site) => {
    const { repo, config, writeConfig } = site
    const folder = join(repo.scratch, "nodes")
    await mkdir(folder)
    await writeConfig({
      sources: {
        release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml", rollout: ROLLOUT },
      },
    })
    const rules = DISASTER_RULES.replaceAll(", west: [ci]", "")
    const settings = await loadOperatorSettings(config)
    const reconciler = await openReconciler(settings, log, { leads: true })
    const [first] = STAGED_DISASTERS
    try {
      const good = await repo.commit({ ...first?.good, "rules.yaml": rules })
      await runUntil(reconciler, ({ commit }) => commit === good)
      await withNodes(site, folder, async () => {
        await until(async () => (await shownCommits(folder)).every((commit) => commit === good))
        for (const { name, good: files, bad } of DISASTERS) {
          const commit = await repo.commit({ ...files, "rules.yaml": rules, ...bad })
          const record = await runUntil(reconciler, ({ rejected }) => rejected?.commit === commit)
          expect(record.rejected, name).toMatchObject({ code: "rollout/node-failed" })
          expect(record.commit, name).toBe(good)
          expect(record.candidate, name).toBe(null)
          // Back in a new epoch, on every node; the others never had it.
          await runUntil(reconciler, async () => (await shownCommits(folder)).every((one) => one === good))
          await until(() => areSettled(reconciler))
          const reached = await nodesWith(folder, commit)
          expect(reached.length, name).toBeGreaterThan(0)
          expect(reached.length, name).toBeLessThan(NODES.length)
        }
        // A good one goes through every stage, after all that went back.
        const fixed = await repo.commit({ "jobs/b/build.yaml": null, "jobs/b/test.yaml": "periodics: []\n" })
        await runUntil(reconciler, async (record) => {
          return record.commit === fixed && (await shownCommits(folder)).every((one) => one === fixed)
        })
      })
    } finally {
      await reconciler.close()
    }
  })
})
