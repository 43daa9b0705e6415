import type { Disk } from "@headrace/agent/disk/disk"
import type { Machine } from "./operation-sequences.ts"
import { wrapDisk } from "./wrap-disk.ts"

/** The processes of a machine, one of which may die before an operation of its disk. */
export function createProcesses() {
  let isDead = false
  let fuse: number | undefined
  let living: { die(): void }[] = []
  return {
    isDead: () => isDead,
    /** After so many operations whatever works dies; undefined: nothing does. */
    setFuse: (operations: number | undefined) => {
      fuse = operations
    },
    start(machine: Machine): Disk {
      const own = machine.process()
      living.push(own)
      return wrapDisk(
        own,
        () => {
          if (fuse === undefined || fuse-- > 0) return
          isDead = true
          throw new Error("the process is dead")
        },
        () => isDead,
      )
    },
    /** Ends all of them; `settle` waits for what they were doing to notice. */
    async killAll(settle: () => Promise<unknown>): Promise<void> {
      isDead = true
      for (const each of living) each.die()
      living = []
      await settle().catch(() => undefined)
      isDead = false
    },
  }
}
