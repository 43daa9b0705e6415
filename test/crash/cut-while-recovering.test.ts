import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { describe, expect, it } from "vitest"
import { projectionOptions } from "../harness/with-projection.ts"
import { faultsAfter, nextOf, PATH, shownOn } from "./look-at-simulated.ts"
import { randomNumbers } from "./random-numbers.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { type SimulatedDisk, simulateDisk } from "./simulated-disk.ts"
import type { Survival } from "./simulated-node.ts"
import { wrapDisk } from "./wrap-disk.ts"

/** The short form cuts before every so many operations, again before every so many of the recovery. */
const STRIDES = process.env.HEADRACE_CRASH === "long" ? { first: 1, second: 1 } : { first: 19, second: 8 }

/** After a cut all that a disk has is durable, so this makes a copy. */
const EVERYTHING: Survival = { choose: () => true }

/** Any part of what is not durable, the same for the same seed. */
function anyPart(seed: number): Survival {
  const next = randomNumbers(seed)
  return { choose: () => next() < 0.5 }
}

/** Runs `work` until its operation `index`, at which the power goes. Gives false when it ended before. */
async function runUntil(
  disk: SimulatedDisk,
  index: number,
  work: (disk: SimulatedDisk) => Promise<void>,
): Promise<boolean> {
  let count = 0
  let dead = false
  const wrapped = wrapDisk(
    disk,
    () => {
      if (count++ !== index) return
      dead = true
      throw new Error("the power is off")
    },
    () => dead,
  )
  await work({ ...disk, ...wrapped }).catch((error: unknown) => {
    if (!dead) throw error
  })
  return dead
}

/** Recovers and publishes on copies of a disk, the power cut before operation 0, `stride`, … of that. Gives what was wrong. */
async function cutWhileRecovering(
  cut: SimulatedDisk,
  acknowledged: number,
  layout: LayoutName,
  survival: (index: number) => Survival,
): Promise<string[][]> {
  const revisions = [...revisionsOf(layout), nextOf(layout)]
  const found = await shownOn(cut, revisions, layout)
  const results: string[][] = []
  for (let index = 0; ; index += STRIDES.second) {
    const disk = cut.afterCut(EVERYTHING)
    const died = await runUntil(disk, index, async (again) => {
      const options = projectionOptions(PATH, { disk: again, layout, durability: "fsync" })
      const projection = await openProjection(options)
      await projection.publish(nextOf(layout))
      await projection.close()
    })
    if (!died) return results
    const after = disk.afterCut(survival(index))
    const foundAgain = await shownOn(after, revisions, layout)
    const isBack = found !== "torn" && foundAgain !== "torn" && foundAgain < found
    const isNext = foundAgain === revisions.length - 1
    results.push([
      ...(foundAgain === "torn" ? ["torn"] : []),
      ...(isBack ? [`recovery went from ${found} to ${foundAgain}`] : []),
      ...(isNext ? [] : await faultsAfter(after, acknowledged, layout)),
    ])
  }
}

describe.each<LayoutName>(["links", "exchange", "file"])(
  "a second power cut, while recovering (layout %s)",
  (layout) => {
    it("tears nothing, loses nothing, and lets publishing go on", async () => {
      let cuts = 0
      const faults: string[] = []
      for (let index = 0; ; index += STRIDES.first) {
        const random = (second: number): Survival => anyPart(index * 1000 + second)
        const disk = simulateDisk()
        let acknowledged = -1
        const died = await runUntil(disk, index, (wrapped) =>
          publishAll(PATH, { layout, disk: wrapped }, (revision) => {
            acknowledged = revisionsOf(layout).indexOf(revision)
          }),
        )
        const cut = disk.afterCut(anyPart(index))
        for (const [second, found] of (
          await cutWhileRecovering(cut, acknowledged, layout, random)
        ).entries()) {
          cuts += 1
          faults.push(...found.map((fault) => `cut ${index}, again at ${second * STRIDES.second}: ${fault}`))
        }
        if (!died) break
      }

      expect(faults).toEqual([])
      expect(cuts).toBeGreaterThan(50)
      if (STRIDES.first === 1) process.stdout.write(`layout ${layout}: cut twice ${cuts} times\n`)
    }, 900_000)
  },
)
