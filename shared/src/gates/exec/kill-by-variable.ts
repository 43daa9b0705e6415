import { readdir, readFile } from "node:fs/promises"

/** A process can start another one while this reads. */
const MOST_ROUNDS = 5

/**
 * Kills (SIGKILL) every process of this user that was started with a variable such as `HOME=/tmp/a`, until there is none. It
 * reads `/proc` (proc(5), `environ`), so it does nothing where there is none; a process that has overwritten its environment
 * is not found.
 */
export async function killByVariable(variable: string): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const found = await processesWith(variable)
    if (found.length === 0) return
    for (const pid of found) kill(pid)
  }
}

async function processesWith(variable: string): Promise<number[]> {
  const entries = await readdir("/proc").catch((): string[] => [])
  const numbers = entries.filter((entry) => /^\d+$/.test(entry))
  const found = await Promise.all(
    numbers.map(async (pid) => {
      // What has ended meanwhile, and what is another user's, cannot be read; a zombie has none.
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "")
      return environment.split("\0").includes(variable) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It has ended.
  }
}
