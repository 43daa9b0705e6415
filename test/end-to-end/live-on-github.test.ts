import type { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { CONFIG_MAPS, LEASES } from "@headrace/config/local/embedded-kube/resource-kind"
import { parseConfigMap } from "@headrace/shared/kube/protocol/config-map-json"
import type { SourceRecord } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { expect, it } from "vitest"
import { githubEvent } from "../harness/github-events.ts"
import { nodeLease } from "../harness/post-lease.ts"
import { until } from "../harness/until.ts"
import { withMergeSite } from "../harness/with-merge-site.ts"

const RULES = "config_updater: {maps: {'jobs/*.yaml': {name: jobs, clusters: {build01: [ci]}}}}\n"
const NODES = 20
const LAST = `node-${NODES - 1}`
/** `HEADRACE_LIVE_MERGES=20` measures more. */
const MERGES = Number(process.env.HEADRACE_LIVE_MERGES ?? 2)
const LIMIT_MS = 90_000

/** What the record shows once it shows this commit. */
async function untilRecorded(store: ObjectStore, sha: string): Promise<SourceRecord> {
  const record = () => {
    if (!store.has(CONFIG_MAPS, "headrace", "release")) return undefined
    return readRecord(parseConfigMap(store.get(CONFIG_MAPS, "headrace", "release")))
  }
  await until(() => record()?.commit === sha, LIMIT_MS)
  const found = record()
  if (found === undefined) throw new Error("the record is gone")
  return found
}

/** Writes what a node reports, as its agent does. */
function report(store: ObjectStore, node: string, { commit, token }: SourceRecord): void {
  const lease = nodeLease(node, commit ?? "", token)
  if (store.has(LEASES, "headrace", lease.metadata.name)) {
    store.remove(LEASES, "headrace", lease.metadata.name)
  }
  store.create(LEASES, "headrace", lease)
}

it(
  "says live on GitHub after the last node's report, and not before it",
  { timeout: 60_000 + MERGES * LIMIT_MS },
  () =>
    withMergeSite(
      { "rules.yaml": RULES, "jobs/a.yaml": "a: 0\n" },
      async ({ github, repo, store, ...site }) => {
        await site.start()
        const milliseconds: number[] = []
        for (let number = 1; number <= MERGES; number++) {
          const path = `jobs/${number}.yaml`
          const sha = await repo.merge({ [path]: `of: ${number}\n` })
          github.filesOf.set(`openshift/release#${number}`, [{ filename: path, status: "added" }])
          await site.deliver("pull_request", githubEvent.merged({ sha, number }))
          const record = await untilRecorded(store, sha)
          for (let node = 0; node < NODES - 1; node++) report(store, `node-${node}`, record)
          const said = () => github.statuses.filter((one) => one.startsWith(sha))
          const total = number === 1 ? NODES - 1 : NODES
          if (number === 1) {
            // No more nodes are known than have ever reported: all of them show it.
            await until(() => said().some((one) => one.includes(`live on ${total}/${total} nodes`)), LIMIT_MS)
            report(store, LAST, record)
            continue
          }
          await until(
            () => said().some((one) => one.includes(`live on ${NODES - 1}/${NODES} nodes`)),
            LIMIT_MS,
          )
          expect(said().filter((one) => one.includes(" success: "))).toEqual([])
          const reported = performance.now()
          report(store, LAST, record)
          const isLive = () => said().some((one) => one.includes(` success: live on ${NODES}/${NODES} nodes`))
          await until(isLive, LIMIT_MS)
          milliseconds.push(performance.now() - reported)
          const deployment = () => github.deployments.find((one) => one.sha === sha)?.statuses.at(-1)
          await until(() => deployment() === `success: live on ${NODES}/${NODES} nodes`, LIMIT_MS)
        }
        const sorted = milliseconds.map(Math.round).sort((a, b) => a - b)
        process.stdout.write(
          `live on GitHub after the last of ${NODES} nodes' reports: ${sorted.join(", ")} ms\n`,
        )
      },
    ),
)
