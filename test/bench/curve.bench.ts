import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { SizeFigures } from "./curve/one-size.ts"

const SIZES = [1_000, 10_000, 100_000]
/** How much more a change may cost than among the fewest files, and how many milliseconds. */
const MOST_RATIO = 1.5
const MOST_MS = 40
const MOST_MEGABYTES = 400
const MOST_FIRST_MS = 30_000
const MOST_REBUILD_MS = 2000

/**
 * What one changed file costs among 1,000, 10,000 and 100,000, each figure with its goal: the work is in the size of the
 * change, and not of the repository. HEADRACE_CURVE_SIZES=1000,10000 measures these sizes, HEADRACE_CURVE_SHAPE=one-target
 * all files in one target of the store.
 */
export async function run(): Promise<Record<string, number>> {
  const sizes = process.env.HEADRACE_CURVE_SIZES?.split(",").map(Number) ?? SIZES
  const measured: SizeFigures[] = []
  for (const files of sizes) measured.push(await measureInProcess(files))
  const [smallest] = measured
  const ratio = (one: SizeFigures) => one.beyondFetch / (smallest?.beyondFetch ?? Number.NaN)
  process.stdout.write(`${tableOf(measured, ratio)}\n`)
  return Object.fromEntries(
    measured.flatMap((one) => {
      const among = `1 of ${one.files.toLocaleString("en")} files`
      return [
        [`${among}: beyond the fetch, p50 ms`, one.beyondFetch],
        [`${among}: ratio to the fewest files`, ratio(one)],
        [`${among}: fetch, p50 ms`, one.fetch],
        [`${among}: resident MB`, one.residentMegabytes],
        [`${one.files.toLocaleString("en")} files: first projection, ms`, one.firstProjection],
        [`${one.files.toLocaleString("en")} files: rebuild unchanged, ms`, one.rebuild],
      ]
    }),
  )
}

async function measureInProcess(files: number): Promise<SizeFigures> {
  const shape = process.env.HEADRACE_CURVE_SHAPE
  const child = fork(
    join(import.meta.dirname, "curve/one-size.ts"),
    [String(files), ...(shape ? [shape] : [])],
    {
      execArgv: ["--conditions=source", "--no-warnings"],
    },
  )
  let figures: SizeFigures | undefined
  child.on("message", (message) => {
    figures = message as SizeFigures
  })
  const [code] = await once(child, "close")
  if (figures === undefined) throw new Error(`measuring ${files} files ended with ${code}`)
  return figures
}

function tableOf(measured: readonly SizeFigures[], ratio: (one: SizeFigures) => number): string {
  const rows: [string, string, (one: SizeFigures) => string][] = [
    ["one file changed, beyond the fetch, p50 ms", `${MOST_MS}`, (one) => one.beyondFetch.toFixed(1)],
    ["  ratio to the fewest files", `${MOST_RATIO}`, (one) => ratio(one).toFixed(2)],
    ["  of it planning, ms", "", (one) => one.plan.toFixed(1)],
    ["  worst, ms", "", (one) => one.beyondFetchWorst.toFixed(1)],
    ["fetch, p50 ms", "", (one) => one.fetch.toFixed(1)],
    ["resident MB", `${MOST_MEGABYTES}`, (one) => one.residentMegabytes.toFixed(0)],
    ["first projection, s", `${MOST_FIRST_MS / 1000}`, (one) => (one.firstProjection / 1000).toFixed(1)],
    ["rebuild unchanged, s", `${MOST_REBUILD_MS / 1000}`, (one) => (one.rebuild / 1000).toFixed(2)],
  ]
  const head = ["files", "at most", ...measured.map(({ files }) => files.toLocaleString("en"))]
  const lines = [head, ...rows.map(([name, most, text]) => [name, most, ...measured.map(text)])]
  return lines
    .map(([name = "", ...cells]) => `  ${name.padEnd(46)}${cells.map((cell) => cell.padStart(10)).join("")}`)
    .join("\n")
}
