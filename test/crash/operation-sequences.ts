import type { Disk } from "@headrace/agent/disk/disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"

/**
 * What may happen to a projection. `kill` ends the agent and the command at work by SIGKILL, `cut` the machine's power;
 * the agent then starts again. `lease` is a reader that holds what is shown until the power is cut.
 */
export const ACTIONS = ["publish", "rollback", "pin", "unpin", "prune", "lease", "kill", "cut"] as const
export type Action = (typeof ACTIONS)[number]
export type Crash = "kill" | "cut"

/** Every sequence of one to `most` actions, shortest first. */
export function sequencesUpTo(most: number): Action[][] {
  const all: Action[][] = []
  let longest: Action[][] = [[]]
  for (let length = 1; length <= most; length += 1) {
    longest = longest.flatMap((before) => ACTIONS.map((action) => [...before, action]))
    all.push(...longest)
  }
  return all
}

export function isCrash(action: Action | undefined): action is Crash {
  return action === "kill" || action === "cut"
}

/** A machine with a disk, its processes, and its power. */
export interface Machine {
  /** Where the projection is. */
  path: string
  layout: LayoutName
  /** The disk as a new process has it; `die` gives back its open files with their locks. */
  process(): Disk & { die(): void }
  /** The machine after its power was cut. */
  cut(): Machine | Promise<Machine>
}

/** Where a crash interrupts the action before it. */
export interface Interruption {
  /** The crash's place in the sequence. */
  at: number
  /** The operation of the disk, counted from the start of that action, before which it happens. */
  operation: number
}

/** What a projection shows and is pinned to, as numbers of revisions; -1: nothing that is whole. */
export interface Seen {
  shown: number
  pinned: number | undefined
  /** Revisions that are in the store. */
  kept?: readonly number[]
}

/** The places of a sequence's crashes that can interrupt the action before them: one that changes the disk. */
export function interruptible(sequence: readonly Action[]): number[] {
  return sequence.flatMap((crash, at) => {
    const action = sequence[at - 1]
    const changes = action !== undefined && !isCrash(action) && action !== "lease"
    return isCrash(crash) && changes ? [at] : []
  })
}
