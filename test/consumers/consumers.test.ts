import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type Consumer, rowOf } from "./consumer.ts"
import { type MeasureOptions, measure } from "./measure.ts"
import { missingPrograms } from "./missing-programs.ts"
import type { Cell } from "./recorder.ts"
import { dnsmasqFile, dnsmasqFolder } from "./servers.ts"
import { openSite, type Publisher, type Through } from "./site.ts"
import { chokidarNew, chokidarOld, entr, fsWatch, inotifywait, watchdog } from "./watchers.ts"

/** The short form of `npm run test:consumers`: what is small to install, in the ways in which it is served. */
const SERVED: Partial<Record<Publisher, readonly [Consumer, readonly Through[]][]>> = {
  links: [
    [inotifywait, ["a flat file", "a nested file", "the root"]],
    [entr, ["a flat file", "a nested file"]],
    [chokidarOld, ["the root"]],
    [chokidarNew, ["a flat file", "a nested file", "a nested folder", "the root"]],
    [fsWatch, ["a flat file", "a nested file", "the root"]],
    [watchdog, ["the root"]],
    [dnsmasqFile, ["a nested file"]],
  ],
  exchange: [
    [inotifywait, ["a flat file", "a nested file"]],
    [entr, ["a flat file", "a nested file"]],
    [chokidarNew, ["a flat file", "a nested file"]],
    [fsWatch, ["a flat file", "a nested file"]],
  ],
  file: [
    [entr, ["a flat file"]],
    [fsWatch, ["a flat file", "the root"]],
    [watchdog, ["the root"]],
    [dnsmasqFolder, ["a nested folder"]],
  ],
}
/** Nothing is asserted about time: long enough for any machine. */
const LIMIT = 25_000
const REVISIONS = 12

const missing = missingPrograms(Object.values(SERVED).flatMap((rows) => rows.flatMap(([{ needs }]) => needs)))
const absent = missing.length > 0 ? `needs ${missing.join(", ")}` : undefined

async function measureAt(
  publisher: Publisher,
  rows: readonly (readonly [Consumer, readonly Through[]])[],
  options: Pick<MeasureOptions, "paced" | "flips" | "limit" | "signal">,
): Promise<Map<string, Cell>> {
  return await withFolder(async (folder) => {
    const site = await openSite(publisher, folder, ["conf.txt", "hosts/hosts"])
    try {
      return await measure({
        site,
        consumers: rows.map(([consumer, through]) => ({ consumer, through })),
        ...options,
      })
    } finally {
      await site.close()
    }
  })
}

describe.skipIf(absent)(`consumers on their machine${whySkipped(absent)}`, () => {
  describe.each(Object.entries(SERVED) as [Publisher, [Consumer, Through[]][]][])(
    "layout %s",
    (publisher, rows) => {
      it("each notices every revision, and reads none half", { timeout: 600_000 }, async ({ signal }) => {
        const cells = await measureAt(publisher, rows, { paced: REVISIONS, flips: 20, limit: LIMIT, signal })

        const all = rows.flatMap(([{ name }, through]) => through.map((way) => rowOf(name, way)))
        expect([...cells.keys()]).toEqual(all)
        for (const [row, cell] of cells) {
          expect(cell, row).toMatchObject({ noticed: REVISIONS, mixed: 0, unreadable: 0, isCurrent: true })
        }
      })
    },
  )

  it("control: nothing is noticed of a publisher whose change is elsewhere", async ({ signal }) => {
    const rows = [
      [fsWatch, ["a flat file", "the root"]],
      [entr, ["a flat file"]],
    ] as const

    const cells = await measureAt("silent", rows, { paced: 2, flips: 0, limit: 300, signal })

    for (const [row, { noticed, readings }] of cells) {
      expect(noticed, row).toBe(0)
      expect(readings, row).toBeGreaterThan(0)
    }
  })

  it("control: files that are written in place are read half-written", { timeout: 600_000 }, async ({
    signal,
  }) => {
    const rows = [[fsWatch, ["the root"]]] as const

    const cells = await measureAt("tears", rows, { paced: 0, flips: 40, signal })

    expect(cells.get(rowOf(fsWatch.name, "the root"))?.mixed).toBeGreaterThan(0)
  })
})
