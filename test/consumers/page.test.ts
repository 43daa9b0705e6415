import { describe, expect, it } from "vitest"
import { rowOf } from "./consumer.ts"
import { ALL } from "./matrix.ts"
import { consumersPage } from "./page.ts"
import type { Cell } from "./recorder.ts"
import type { Results } from "./results.ts"

const ROWS = ALL.flatMap(({ name, through }) => through.map((way) => rowOf(name, way)))
const ROW = rowOf("entr", "a flat file")

function cell(noticed: number, mixed = 0): Cell {
  const counts = { paced: 10, flips: 100, readings: 100, mixed, unreadable: 0, isCurrent: true }
  return { ...counts, noticed, delays: Array.from({ length: noticed }, (_, at) => at + 1) }
}

/** A matrix in which every cell is served, but for the given ones. */
function results(changes: Results = {}): Results {
  const every = (of: Cell) => Object.fromEntries(ROWS.map((row) => [row, of]))
  const served = {
    links: every(cell(10)),
    exchange: every(cell(10)),
    file: every(cell(10)),
    kubelet: every(cell(10)),
  }
  const all: Results = { ...served, tears: every(cell(9, 9)), silent: every(cell(0)) }
  for (const [publisher, rows] of Object.entries(changes))
    Object.assign(all[publisher as keyof Results] ?? {}, rows)
  return all
}

describe("the page of consumers", () => {
  it("has a figure in every cell, and names the layout of each row", () => {
    const { page, wrong } = consumersPage(results())

    expect(wrong).toEqual([])
    expect(page).toContain(`| ${ROW} | links |  | 10/10 5/9 ms, 0 mixed in 100 |`)
    for (const row of ROWS) expect(page).toContain(`| ${row} | links |`)
  })

  it("gives the reason where a layout is not for a consumer", () => {
    const row = rowOf("Go viper 1.10", "a nested file")
    const { page, wrong } = consumersPage(results({ links: { [row]: cell(1) }, kubelet: { [row]: cell(1) } }))

    expect(wrong).toEqual([])
    expect(page).toContain(`| ${row} | exchange |  | 1/10 1/1 ms, 0 mixed in 100 [(1)](#reasons) |`)
  })

  it("names a layout in which a consumer notices everything, though it reads its files one after the other", () => {
    const row = rowOf("Prow's walk and poll", "a flat file")
    const mixed = { [row]: cell(10, 1) }
    const { page, wrong } = consumersPage(
      results({ links: mixed, exchange: mixed, file: mixed, kubelet: mixed }),
    )

    expect(wrong).toEqual([])
    expect(page).toContain(`| ${row} | links |  | 10/10 5/9 ms, 1 mixed in 100 [(6)](#reasons) |`)
  })

  it.each([
    ["a cell that misses something without a reason", { exchange: { [ROW]: cell(9) } }, "no reason is known"],
    ["a mixed reading without a reason", { file: { [ROW]: cell(10, 1) } }, "no reason is known"],
    ["a control that passes", { silent: { [ROW]: cell(1) } }, "passes a control"],
    [
      "what works on a kubelet mount alone",
      { links: { [ROW]: cell(9) } },
      "works on a kubelet mount, and not in links",
    ],
  ] as const)("says what is wrong: %s", (_, changes, text) => {
    expect(consumersPage(results(changes)).wrong.join("\n")).toContain(text)
  })

  it("says how busy the machine was, and which cells were measured at the usual priority", () => {
    const text = (changes: Results, most: number) =>
      consumersPage(results(changes), { cores: 2, least: 2, most }).page
    const first = { links: { [ROW]: { ...cell(10), nice: -15 } } }

    expect(text({}, 3)).not.toContain("While this was measured")
    expect(text({}, 18)).toContain("While this was measured 2 to 18 processes wanted the machine's 2 cores")
    expect(text({}, 18)).not.toContain("†")
    expect(text(first, 18)).toContain("(nice -15)")
    expect(text(first, 18)).toContain(
      `| ${ROW} | links |  | 10/10 5/9 ms, 0 mixed in 100 | 10/10 5/9 ms, 0 mixed in 100 † |`,
    )
  })

  it("says which consumer has no layout at all, and what was not measured", () => {
    const none = Object.fromEntries(
      ["links", "exchange", "file", "kubelet"].map((at) => [at, { [ROW]: cell(1) }]),
    )
    const all = results(none)
    for (const way of ["a nested file", "a nested folder", "the root"] as const) {
      for (const rows of Object.values(all)) delete rows[rowOf("entr", way)]
    }

    const { wrong } = consumersPage(all)

    expect(wrong).toContain(
      "entr has no layout in which it notices everything, and reads nothing mixed but for a known reason",
    )
    expect(wrong).toContain("entr, the root, links: not measured")
  })
})
