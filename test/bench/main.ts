/**
 * `npm run bench`: runs every *.bench.ts beside this file, prints each figure and, with `--json FILE`, writes
 * them all. `--only NAME,NAME` runs those; an unknown name ends with exit 2. The programs measured are the bundles, with the
 * variables of the image.
 */
import { readdirSync, writeFileSync } from "node:fs"
import { cpus, release } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Command, InvalidArgumentError } from "commander"
import { imageEnvironment } from "./memory/image-environment.ts"
import { selectBenches } from "./select-benches.ts"

interface Bench {
  /** Figures by name; names end in their unit. */
  run(): Promise<Record<string, number>>
  /** What figures are to be at most, by their names. */
  goals?: Readonly<Record<string, number>>
}

const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(/\.bench\.ts$/, ""))
  .sort()

const flags = new Command("bench")
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .option("--json <file>", "write all figures to this file")
  .option("--only <names>", `run only these benches, separated by commas: ${all.join(", ")}`, chosen, all)
  .parse()
  .opts<{ json?: string; only: string[] }>()

function chosen(text: string): string[] {
  try {
    return selectBenches(all, text)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

Object.assign(process.env, imageEnvironment())
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.versions.node}`
process.stdout.write(`${machine}\n`)
const figures: Record<string, Record<string, number>> = {}
for (const name of flags.only) {
  const bench: Bench = await import(pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href)
  process.stdout.write(`\n${name}\n`)
  figures[name] = await bench.run()
  for (const [figure, value] of Object.entries(figures[name])) {
    const goal = bench.goals?.[figure]
    const beside = goal === undefined ? "" : `   goal: at most ${goal.toLocaleString("en")}`
    const text = value.toLocaleString("en", { maximumFractionDigits: 2 })
    process.stdout.write(`  ${figure.padEnd(52)} ${text.padStart(goal === undefined ? 0 : 8)}${beside}\n`)
  }
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`)
process.exit(0)
