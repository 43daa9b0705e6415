/**
 * A consumer in a process of its own: looks at every projection under the folders given, over and over, until
 * SIGTERM, then prints one JSON object: how many looks, each distinct thing seen, and what went wrong.
 */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { setImmediate as nextTurn } from "node:timers/promises"
import { takeSnapshot } from "./projection-snapshot.ts"
import type { ReaderReport } from "./start-reader.ts"

const folders = process.argv.slice(2)
const seen = new Map<string, ReaderReport["seen"][number]>()
const errors: string[] = []
let looks = 0
let stopped = false
process.once("SIGTERM", () => {
  stopped = true
})

while (!stopped) {
  for (const folder of folders) for (const projection of projectionsIn(folder)) look(projection)
  await nextTurn()
}
process.stdout.write(JSON.stringify({ looks, seen: [...seen.values()], errors } satisfies ReaderReport))

function look(projection: string): void {
  if (!existsSync(join(projection, "..data"))) return
  looks++
  try {
    const { revision, fingerprint, files } = takeSnapshot(projection)
    seen.set(`${projection} ${revision} ${fingerprint}`, { projection, revision, fingerprint, files })
  } catch (error) {
    if (errors.length < 20) errors.push(`${projection}: ${String(error)}`)
  }
}

function projectionsIn(cluster: string): string[] {
  if (!existsSync(cluster)) return []
  return readdirSync(cluster).flatMap((namespace) =>
    readdirSync(join(cluster, namespace)).map((name) => join(cluster, namespace, name)),
  )
}
