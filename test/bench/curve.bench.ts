import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import type { SizeFigures } from "./curve/one-size.ts"

const SIZES = process.env.HEADRACE_CURVE_SIZES?.split(",").map(Number) ?? [1_000, 10_000, 100_000]
const SHAPE = process.env.HEADRACE_CURVE_SHAPE

interface Row {
  name: string
  /** The goal: at most so much. */
  most?: number
  of(one: SizeFigures, fewest: SizeFigures): number
}

const ROWS: readonly Row[] = [
  { name: "one file changed, beyond the fetch, p50 ms", most: 40, of: (one) => one.beyondFetch },
  {
    name: "one file changed, ratio to the fewest files",
    most: 1.5,
    of: (one, fewest) => one.beyondFetch / fewest.beyondFetch,
  },
  { name: "one file changed, planning of it, p50 ms", of: (one) => one.plan },
  { name: "one file changed, CPU of all of it, p50 ms", of: (one) => one.cpu },
  { name: "fetch, p50 ms", of: (one) => one.fetch },
  { name: "resident MB", most: 400, of: (one) => one.residentMegabytes },
  { name: "first projection, s", most: 30, of: (one) => one.firstProjection / 1000 },
  { name: "first projection, requests", of: (one) => one.firstRequests },
  { name: "first projection, % of CPU in the API server", of: (one) => one.firstServerShare * 100 },
  { name: "rebuild unchanged, s", most: 2, of: (one) => one.rebuild / 1000 },
]

export const goals: Readonly<Record<string, number>> = Object.fromEntries(
  SIZES.flatMap((files) =>
    ROWS.flatMap(({ name, most }) => (most === undefined ? [] : [[figureOf(files, name), most]])),
  ),
)

/**
 * What one changed file costs among 1,000, 10,000 and 100,000: the work is in the size of the change, and not of the
 * repository. HEADRACE_CURVE_SIZES=1000,10000 measures these sizes, HEADRACE_CURVE_SHAPE=one-target all files in one target
 * of the store.
 */
export async function run(): Promise<Record<string, number>> {
  const measured: SizeFigures[] = []
  for (const files of SIZES) measured.push(await measureInProcess(files))
  const [fewest] = measured
  if (fewest === undefined) return {}
  process.stdout.write(`${tableOf(measured, fewest)}\n`)
  return Object.fromEntries(
    measured.flatMap((one) => ROWS.map(({ name, of }) => [figureOf(one.files, name), of(one, fewest)])),
  )
}

function figureOf(files: number, name: string): string {
  return `${files.toLocaleString("en")} files: ${name}`
}

async function measureInProcess(files: number): Promise<SizeFigures> {
  const program = join(import.meta.dirname, "curve/one-size.ts")
  const child = fork(program, [String(files), ...(SHAPE ? [SHAPE] : [])], {
    execArgv: ["--conditions=source", "--no-warnings"],
  })
  let figures: SizeFigures | undefined
  child.on("message", (message) => {
    figures = message as SizeFigures
  })
  const [code] = await once(child, "close")
  if (figures === undefined) throw new Error(`measuring ${files} files ended with ${code}`)
  return figures
}

function tableOf(measured: readonly SizeFigures[], fewest: SizeFigures): string {
  const head = ["files", ...measured.map(({ files }) => files.toLocaleString("en")), "at most"]
  const lines = ROWS.map(({ name, most, of }) => [
    name,
    ...measured.map((one) => rounded(of(one, fewest))),
    most === undefined ? "" : String(most),
  ])
  return [head, ...lines]
    .map(([name = "", ...cells]) => `  ${name.padEnd(46)}${cells.map((cell) => cell.padStart(10)).join("")}`)
    .join("\n")
}

function rounded(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 2 : 1 })
}
