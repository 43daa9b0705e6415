import { join } from "node:path"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { createTestCluster, projectionYaml, untilReady, untilShown } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { createAgent } from "./agent.ts"

const JITTER = "1h"
const JITTER_MS = 3_600_000

it("spreads the reads of many nodes after a change over the time that is set, and retries without it", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    const targets = (x: string) => ({ "ci/alpha": { x } })
    await writeRevision(kube, { seq: 1, targets: targets("1") })
    const stop = new AbortController()
    const shares = [0, 0.25, 0.5, 0.999]
    const nodes = shares.map((share) => {
      const waits: number[] = []
      // Long waits are jitter, and over at once; the short ones are backoff.
      const clock: Clock = {
        now: systemClock.now,
        async sleep(milliseconds, signal) {
          waits.push(milliseconds)
          await systemClock.sleep(Math.min(milliseconds, 1), signal)
        },
      }
      const yaml = `${projectionYaml(join(folder, String(share)), "[{configMap: ci/alpha}]")}jitter: ${JITTER}\n`
      const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
      const log = createLog("agent", { level: "silent" })
      const agent = createAgent(settings, { reader: kube, clock, log, random: () => share })
      return { agent, waits, share, ended: agent.run(stop.signal) }
    })
    const jitters = (waits: number[]) => waits.filter((wait) => wait === 0 || wait > 60_000)
    try {
      for (const { agent } of nodes) await untilReady(agent)
      for (const { waits } of nodes) waits.length = 0
      const commit = await writeRevision(kube, { seq: 2, targets: targets("2") })
      for (const { agent, waits, share } of nodes) {
        await untilShown(agent, commit)
        expect(jitters(waits)).toEqual([share * JITTER_MS])
        waits.length = 0
      }
      // A target that is not there is looked for again and again.
      await writeRevision(kube, { seq: 3, targets: { "ci/other": { y: "3" } } })
      for (const { agent, waits, share } of nodes) {
        await expect.poll(() => agent.readiness().reasons.join()).toContain("has no such target")
        await expect.poll(() => waits.length).toBeGreaterThan(4)
        expect(jitters(waits)).toEqual([share * JITTER_MS])
      }
    } finally {
      stop.abort(new Error("the test is over"))
      await Promise.all(nodes.map(({ ended }) => ended))
    }
  })
})
