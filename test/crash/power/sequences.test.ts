import type { Disk } from "@headrace/agent/disk/disk"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../../harness/why-skipped.ts"
import { type Action, interruptible, type Machine, sequencesUpTo } from "../operation-sequences.ts"
import { playSequence, publishBase } from "../play-sequence.ts"
import { FILE_SYSTEMS, powerCutMissing } from "./file-systems.ts"
import { withRecordedMachine } from "./with-recorded-machine.ts"

const LONG = process.env.HEADRACE_CRASH === "long"
const LAYOUTS = LONG ? (["links", "exchange", "file"] as const) : (["links"] as const)
const TYPES = LONG ? FILE_SYSTEMS : (["ext4"] as const)
/** Every so many of those that a power cut interrupts: a sample of what the simulated disk plays all of. */
const STRIDE = LONG ? 7 : 60
/** Spreads the operation of the disk that is interrupted over the sample. */
const SPREAD = 37
const OPERATIONS = 120

interface Interrupted {
  sequence: readonly Action[]
  at: number
}

const CUTS: Interrupted[] = sequencesUpTo(3).flatMap((sequence) =>
  interruptible(sequence).flatMap((at) => (sequence[at] === "cut" ? [{ sequence, at }] : [])),
)

for (const type of TYPES) {
  const missing = powerCutMissing(type)
  if (missing) process.stdout.write(`sequences on ${type} are skipped: ${missing}\n`)

  describe.skipIf(missing)(`sequences of actions on ${type}${whySkipped(missing)}`, () => {
    it.each(LAYOUTS)(
      "keep their promises when the power is cut in the middle of an action, in layout %s",
      async (layout) => {
        const faults: string[] = []
        let plays = 0
        for (let index = 0; index < CUTS.length; index += STRIDE) {
          const { sequence = [], at = 0 } = CUTS[index] ?? {}
          const operation = (index * SPREAD) % OPERATIONS
          const played = await withRecordedMachine(type, layout, index, async (machine) => {
            await publishBase(machine)
            return await playSequence(machine, sequence, { at, operation })
          })
          plays += 1
          const where = `${sequence.join(", ")} interrupted at operation ${operation}`
          faults.push(...played.faults.map((fault) => `${where}: ${fault}`))
        }
        if (LONG) process.stdout.write(`${type}, layout ${layout}: ${plays} sequences\n`)

        expect(faults).toEqual([])
        expect(plays).toBe(Math.ceil(CUTS.length / STRIDE))
      },
      LONG ? 3_600_000 : 120_000,
    )

    it("find a publisher that syncs nothing (negative control)", { timeout: 600_000 }, async () => {
      let isBase = true
      const withoutSync = (disk: Disk): Disk => ({
        ...disk,
        sync: async (handle) => (isBase ? await disk.sync(handle) : undefined),
      })
      const play = async (machine: Machine) => {
        await publishBase(machine)
        isBase = false
        return await playSequence(machine, ["publish", "cut"])
      }

      const { faults } = await withRecordedMachine(type, "links", 1, play, withoutSync)

      expect(faults.join("\n")).toMatch(/cut: .*, expected 3/)
    })
  })
}
