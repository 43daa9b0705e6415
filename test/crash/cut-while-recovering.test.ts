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

/** Recovers and publishes, the power cut before operation 0, `stride`, … of that. Gives cuts and what was wrong. */
async function cutWhileRecovering(
  cutOnce: () => Promise<SimulatedDisk>,
  acknowledged: number,
  layout: LayoutName,
  survival: (index: number) => Survival,
): Promise<string[][]> {
  const revisions = [...revisionsOf(layout), nextOf(layout)]
  const results: string[][] = []
  for (let index = 0; ; index += STRIDES.second) {
    const disk = await cutOnce()
    const found = await shownOn(disk, revisions, layout)
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
        let acknowledged = -1
        let died = true
        const next = randomNumbers(index)
        const choices: boolean[] = []
        /** The same disk each time: publishing and what survives are without chance. */
        const cutOnce = async (): Promise<SimulatedDisk> => {
          acknowledged = -1
          const disk = simulateDisk()
          died = await runUntil(disk, index, (wrapped) =>
            publishAll(PATH, { layout, disk: wrapped }, (revision) => {
              acknowledged = revisionsOf(layout).indexOf(revision)
            }),
          )
          let asked = 0
          return disk.afterCut({
            choose: () => {
              choices[asked] ??= next() < 0.5
              return choices[asked++] ?? false
            },
          })
        }
        await cutOnce()
        const random = (second: number): Survival => {
          const numbers = randomNumbers(index * 1000 + second)
          return { choose: () => numbers() < 0.5 }
        }
        for (const [second, found] of (
          await cutWhileRecovering(cutOnce, acknowledged, layout, random)
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
