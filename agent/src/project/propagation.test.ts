import { systemClock } from "@headrace/shared/foundation/clock"
import {
  createTestCluster,
  projectionYaml,
  untilReady,
  untilShown,
  withAgent,
} from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { commitOf, type TestRevision, writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"

const FIRST = Date.parse("2026-01-01T00:00:00Z")
const MINUTE = 60_000

it("measures the way of commits that came while it ran, not what was there before, nor a rewind", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    let now = FIRST + 100 * MINUTE
    const clock = { ...systemClock, now: () => now }
    const revision = (seq: number, more: Partial<TestRevision> = {}): TestRevision => ({
      seq,
      committedAt: FIRST + seq * MINUTE,
      targets: { "ci/jobs": { x: `content ${seq}` } },
      ...more,
    })
    await writeRevision(kube, revision(1))
    await withAgent(
      kube,
      projectionYaml(folder, "[{configMap: ci/jobs}]"),
      async (agent) => {
        const show = async (next: TestRevision) => {
          await untilShown(agent, await writeRevision(kube, next))
          await untilReady(agent)
        }
        const measured = async () => {
          const text = await agent.registry.metrics()
          return ["count", "sum"].map((what) =>
            Number(new RegExp(`^headrace_propagation_seconds_${what} (\\S+)$`, "m").exec(text)?.[1]),
          )
        }
        await untilShown(agent, commitOf(1))
        await untilReady(agent)
        expect(await measured()).toEqual([0, 0])

        now = FIRST + 2 * MINUTE + 1500
        await show(revision(2))
        expect(await measured()).toEqual([1, 1.5])

        // A rewind: an older commit in a larger epoch.
        await show(revision(1, { epoch: 1, committedAt: FIRST + MINUTE }))
        expect(await measured()).toEqual([1, 1.5])

        // A record of a version that does not say when.
        const { committedAt: _, ...silent } = revision(3, { epoch: 1 })
        await show(silent)
        expect(await measured()).toEqual([1, 1.5])

        // The committer's clock is ahead of ours.
        await show(revision(4, { epoch: 1 }))
        expect(await measured()).toEqual([2, 1.5])
      },
      { clock },
    )
  })
})
