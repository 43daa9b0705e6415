import type { ChildProcess } from "node:child_process"

/** Kills (SIGKILL) the process group that a detached child leads, if any process of it is left. */
export function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL")
  } catch {
    // Every process of it has ended.
  }
}
