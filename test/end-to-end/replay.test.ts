import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startLocal } from "@headrace/config/local/start-local"
import { describe, expect, it } from "vitest"
import { badDaySchedule } from "../harness/delivery-schedule.ts"
import { expectedRevisions } from "../harness/expected-revisions.ts"
import { REAL_BRANCH, REAL_RULES, realHistoryMissing } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withRealHistory } from "../harness/with-real-history.ts"
import { expectEqualsRebuild } from "./expect-equals-rebuild.ts"
import { replay } from "./replay.ts"

/** Enough for 50 revisions to be seen, also where workers are killed and merges meanwhile are caught up in one. */
const MERGES = 90
const MINUTES = 60_000
const missing = realHistoryMissing()

describe.skipIf(missing)(`replay of the real history${whySkipped(missing)}`, () => {
  it(
    "ends at what a rebuild from scratch gives, through dropped, doubled and late webhooks, while readers look",
    () => replayAndCompare({ plugins: 1, killWorkers: false }),
    4 * MINUTES,
  )

  it(
    "ends there too with two plugins, a bootstrapper at the same time, and workers killed in mid-reconcile",
    () => replayAndCompare({ plugins: 2, killWorkers: true }),
    4 * MINUTES,
  )
})

async function replayAndCompare(options: { plugins: number; killWorkers: boolean }): Promise<void> {
  await withRealHistory(async (history) => {
    const folder = await mkdtemp(join(tmpdir(), "headrace-replay-"))
    const source = { branch: REAL_BRANCH, rules: REAL_RULES, repository: "kubernetes/test-infra" }
    await history.moveTo(history.merges[0]?.before ?? "")
    const pipeline = await startLocal({
      ...source,
      repo: history.folder,
      target: join(folder, "nodes"),
      pollSeconds: 2,
      port: 0,
      plugins: options.plugins,
    })
    try {
      await pipeline.waitForProjection()
      const schedule = badDaySchedule(MERGES)
      const report = await replay(pipeline, history, schedule, options)

      process.stdout.write(
        `replay: ${MERGES} merges, ${schedule.dropped} dropped, ${schedule.doubled} doubled, ${schedule.delayed} delayed, ` +
          `${report.killed} workers killed in mid-reconcile, ${report.bootstraps} bootstraps; ` +
          `${report.reader.looks} looks, ${report.revisions} revisions seen\n`,
      )
      expect(Math.min(schedule.dropped, schedule.doubled, schedule.delayed)).toBeGreaterThan(0)
      expect(report.reader.errors).toEqual([])
      expect(report.reader.looks).toBeGreaterThanOrEqual(1000)
      expect(report.revisions).toBeGreaterThanOrEqual(50)
      if (options.killWorkers) expect(Math.min(report.killed, report.bootstraps)).toBeGreaterThan(0)
      const expected = await expectedRevisions({
        ...source,
        url: history.folder,
        folder: join(folder, "expected"),
      })
      for (const { projection, revision, fingerprint } of report.reader.seen) {
        const target = projection.slice(join(folder, "nodes").length + 1)
        const whole = (await expected.at(revision)).get(target)
        expect({ target, revision, fingerprint }).toEqual({ target, revision, fingerprint: whole })
      }
      await expected.close()
      await expectEqualsRebuild(pipeline, { ...source, repo: history.folder })
    } finally {
      await pipeline.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
}
