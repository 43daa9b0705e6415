import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { Peer } from "./payload.ts"

const run = promisify(execFile)

/**
 * The kubelet's own AtomicWriter, by a program that times it: `PROGRAM DIR FILES CHANGED ROUNDS` publishes so many files of
 * 4 KiB at DIR, then changes some of them in each round, and prints `{"peer", "ms": [...]}`, a time for each round. It
 * syncs nothing. Its time is its own: starting it and the first publish do not count.
 */
export function openKubelet(program: string, path: string, changed: number): Peer {
  return {
    name: "kubelet",
    async publish({ files }) {
      const { stdout } = await run(program, [path, String(files.length), String(changed), "1"])
      const [milliseconds] = (JSON.parse(stdout) as { ms: number[] }).ms
      if (!Number.isFinite(milliseconds)) throw new Error(`${program} printed ${stdout}`)
      return milliseconds
    },
  }
}
