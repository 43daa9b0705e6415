import type { Disk } from "@headrace/agent/disk/disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { PATH, survivals } from "./look-at-simulated.ts"
import {
  type Action,
  type Interruption,
  interruptible,
  isCrash,
  type Machine,
  sequencesUpTo,
} from "./operation-sequences.ts"
import { playSequence, publishBase } from "./play-sequence.ts"
import { type SimulatedDisk, simulateDisk } from "./simulated-disk.ts"
import type { Survival } from "./simulated-node.ts"

// After ACE: 24 of 26 known crash bugs of file systems need at most three operations (Mohan et al., "Finding
// Crash-Consistency Bugs with Bounded Black-Box Crash Testing", OSDI 2018).

const LONG = process.env.HEADRACE_CRASH === "long"
const SHORT = "npm run test:crash does this"
const LAYOUTS = ["links", "exchange", "file"] as const
const EVERYTHING: Survival = { choose: () => true }
/** Without a cut nothing has to survive one. */
const NO_CUT: [string, Survival][] = [["everything", EVERYTHING]]
/** The longest actions take fewer operations of the disk. */
const MOST_OPERATIONS = 2000

type Weaken = (disk: SimulatedDisk) => Disk

interface Base {
  disk: SimulatedDisk
  layout: LayoutName
  weaken: Weaken
}

async function withBase(layout: LayoutName, weaken: Weaken = (disk) => disk): Promise<Base> {
  const base = { disk: simulateDisk(), layout, weaken }
  await publishBase(machineOf(base, EVERYTHING))
  return base
}

function machineOf({ disk, layout, weaken }: Base, survival: Survival): Machine {
  return {
    path: PATH,
    layout,
    process: () => {
      const own = disk.process()
      return { ...weaken(own), die: own.die }
    },
    cut: () => machineOf({ disk: disk.afterCut(survival), layout, weaken }, survival),
  }
}

interface Played {
  plays: number
  faults: string[]
  isInterrupted: boolean
}

/** Plays a sequence on copies of a base, once for each way in which its cuts may leave the disk. */
async function playAll(
  base: Base,
  sequence: readonly Action[],
  ways: readonly [string, Survival][],
  interruption?: Interruption,
): Promise<Played> {
  const faults: string[] = []
  let isInterrupted = false
  for (const [name, survival] of sequence.includes("cut") ? ways : NO_CUT) {
    const machine = machineOf({ ...base, disk: base.disk.afterCut(EVERYTHING) }, survival)
    const played = await playSequence(machine, sequence, interruption)
    isInterrupted = played.isInterrupted
    const where = interruption ? ` interrupted at operation ${interruption.operation}` : ""
    faults.push(
      ...played.faults.map((fault) => `${sequence.join(", ")}${where} (${name} survives): ${fault}`),
    )
  }
  return { plays: sequence.includes("cut") ? ways.length : 1, faults, isInterrupted }
}

/** Plays a sequence whose crash at a place interrupts the action before it, once at each operation of that. */
async function interruptAll(base: Base, sequence: readonly Action[], at: number): Promise<Played> {
  const total: Played = { plays: 0, faults: [], isInterrupted: false }
  for (let operation = 0; operation < MOST_OPERATIONS; operation += 1) {
    const played = await playAll(base, sequence, survivals(operation).slice(0, 3), { at, operation })
    total.plays += played.plays
    total.faults.push(...played.faults)
    if (!played.isInterrupted) return total
  }
  throw new Error(`${sequence.join(", ")} never came to its end`)
}

/** The short form: those of two with a crash. */
function isChosen(sequence: readonly Action[]): boolean {
  return LONG || (sequence.length <= 2 && sequence.some(isCrash))
}

describe.each(LAYOUTS)("a projection in layout %s", (layout) => {
  it("keeps its promises through every sequence of actions and crashes", async () => {
    const base = await withBase(layout)
    const sequences = sequencesUpTo(3).filter(isChosen)
    const faults: string[] = []
    let plays = 0
    for (const [index, sequence] of sequences.entries()) {
      const played = await playAll(base, sequence, survivals(index).slice(0, LONG ? 4 : 1))
      plays += played.plays
      faults.push(...played.faults)
    }
    if (LONG) process.stdout.write(`layout ${layout}: ${sequences.length} sequences, ${plays} plays\n`)

    expect(faults).toEqual([])
    expect(sequences).toHaveLength(LONG ? 584 : 30)
  }, 900_000)

  it.runIf(LONG)(
    `keeps them when a crash interrupts the action before it, at each operation${whySkipped(LONG ? undefined : SHORT)}`,
    async () => {
      const base = await withBase(layout)
      const interruptions = sequencesUpTo(3).flatMap((sequence) =>
        interruptible(sequence).map((at) => ({ sequence, at })),
      )
      const faults: string[] = []
      let plays = 0
      for (const { sequence, at } of interruptions) {
        const played = await interruptAll(base, sequence, at)
        plays += played.plays
        faults.push(...played.faults)
      }
      process.stdout.write(`layout ${layout}: ${interruptions.length} interruptions, ${plays} plays\n`)

      expect(faults).toEqual([])
      expect(interruptions).toHaveLength(170)
      expect(plays).toBeGreaterThan(5_000)
    },
    3_600_000,
  )
})

it("finds a publisher that syncs no folder (negative control)", async () => {
  const weaken: Weaken = (disk) => ({
    ...disk,
    sync: async (handle) => {
      if (disk.look(disk.within(handle))?.kind === "file") await disk.sync(handle)
    },
  })
  const base = await withBase("links", weaken)
  const { faults } = await playAll(base, ["publish", "cut"], survivals(0).slice(0, 1))
  expect(faults.join("\n")).toMatch(/cut: .*, expected 3/)
})
