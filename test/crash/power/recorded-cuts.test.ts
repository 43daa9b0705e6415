import type { Disk } from "@headrace/agent/disk/disk"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../../harness/why-skipped.ts"
import type { ProjectionOptions } from "../../harness/with-projection.ts"
import type { BlockEvent } from "./block-log.ts"
import { FILE_SYSTEMS, type FileSystem, powerCutMissing } from "./file-systems.ts"
import { type Cut, everyCut, faultsOfCut, recordScenario } from "./find-broken-cuts.ts"
import { WEAKENED } from "./weaken.ts"
import { type RecordedDisk, withRecordedDisk } from "./with-recorded-disk.ts"

const LONG = process.env.HEADRACE_CRASH === "long"
/** Cuts of one recording: all of them in the long form, with so many reorderings at each place. */
const REORDERINGS = LONG ? 4 : 1
const SHORT_CUTS = 8
/** At least so many per file system and way to publish, in the long form. */
const LONG_CUTS = 200

const DURABLE: [string, ProjectionOptions][] = [
  ["fsync", { durability: "fsync" }],
  ["syncfs", { durability: "syncfs" }],
]
const MORE: [string, ProjectionOptions][] = [
  ["fsync, no clone", { durability: "fsync", prestage: false }],
  ["layout exchange, fsync", { layout: "exchange", durability: "fsync" }],
  ["layout exchange, syncfs", { layout: "exchange", durability: "syncfs" }],
  ["layout file, fsync", { layout: "file", durability: "fsync" }],
]

/** So many of the cuts, spread over the whole recording; in the long form all. */
function chosen(cuts: readonly Cut[]): Cut[] {
  if (LONG) return [...cuts]
  return Array.from(
    { length: SHORT_CUTS },
    (_, index) => cuts[Math.floor(((index + 0.5) * cuts.length) / SHORT_CUTS)],
  ).filter((cut) => cut !== undefined)
}

function say(type: FileSystem, what: string, cuts: readonly Cut[], broken: number): void {
  if (!LONG) return
  const reordered = cuts.filter(({ seed }) => seed !== undefined).length
  const counts = `${cuts.length - reordered} prefixes, ${reordered} with unflushed writes lost or reordered`
  process.stdout.write(`${type}, ${what}: ${cuts.length} power cuts (${counts}), ${broken} broken\n`)
}

/** True when some cut breaks a promise. Most do near an acknowledgement, so the search starts there. */
async function isBroken(
  disk: RecordedDisk,
  events: readonly BlockEvent[],
  options: ProjectionOptions,
): Promise<boolean> {
  const marks = events.flatMap(({ kind }, index) => (kind === "mark" ? [index + 1] : []))
  const distance = ({ length }: Cut) => Math.min(...marks.map((mark) => Math.abs(mark - length)))
  for (const cut of everyCut(events, REORDERINGS).sort((a, b) => distance(a) - distance(b))) {
    if ((await faultsOfCut(disk, events, cut, options)).length > 0) return true
  }
  return false
}

for (const type of FILE_SYSTEMS) {
  const missing = powerCutMissing(type)
  if (missing) process.stdout.write(`power cuts on ${type} are skipped: ${missing}\n`)

  describe.skipIf(missing)(
    `a power cut after any write to ${type}, in any order${whySkipped(missing)}`,
    () => {
      it.each(LONG ? [...DURABLE, ...MORE] : DURABLE)(
        "tears nothing, loses nothing, and lets publishing go on (%s)",
        async (name, options) => {
          await withRecordedDisk(type, async (disk) => {
            const events = await recordScenario(disk, options)
            const cuts = chosen(everyCut(events, REORDERINGS))
            const broken: [Cut, string[]][] = []
            for (const cut of cuts) {
              const faults = await faultsOfCut(disk, events, cut, options)
              if (faults.length > 0) broken.push([cut, faults])
            }
            say(type, name, cuts, broken.length)

            expect(broken).toEqual([])
            expect(events.filter(({ kind }) => kind === "mark")).toHaveLength(3)
            expect(cuts.length).toBeGreaterThanOrEqual(LONG ? LONG_CUTS : SHORT_CUTS)
          })
        },
        LONG ? 3_600_000 : 120_000,
      )

      const controls: [string, ProjectionOptions, ((disk: Disk) => Disk)?][] = [
        ["no sync at all", { durability: "none" }],
        ...Object.entries(WEAKENED).map(
          ([name, weaken]): [string, ProjectionOptions, (disk: Disk) => Disk] => [
            name,
            { durability: "fsync" },
            weaken,
          ],
        ),
      ]
      it.each(controls)(
        "breaks a promise (negative control: %s)",
        async (_name, options, weaken) => {
          await withRecordedDisk(type, async (disk) => {
            const events = await recordScenario(disk, options, weaken)

            expect(await isBroken(disk, events, options)).toBe(true)
          })
        },
        LONG ? 3_600_000 : 120_000,
      )
    },
  )
}
