/**
 * `npm run bench`: runs every *.bench.ts beside this file, prints each figure and, with `--json FILE`, writes
 * them all. `--only NAME` runs one. The programs measured are the built ones.
 */
import { readdirSync, writeFileSync } from "node:fs"
import { cpus, release } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Command } from "commander"

interface Bench {
  /** Figures by name; names end in their unit. */
  run(): Promise<Record<string, number>>
}

const flags = new Command("bench")
  .option("--json <file>", "write all figures to this file")
  .option("--only <name>", "run one bench")
  .parse()
  .opts<{ json?: string; only?: string }>()

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => file.replace(/\.bench\.ts$/, ""))
  .filter((name) => !flags.only || name === flags.only)
  .sort()

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release()}, Node ${process.versions.node}`
process.stdout.write(`${machine}\n`)
const figures: Record<string, Record<string, number>> = {}
for (const name of names) {
  const bench: Bench = await import(pathToFileURL(join(import.meta.dirname, `${name}.bench.ts`)).href)
  process.stdout.write(`\n${name}\n`)
  figures[name] = await bench.run()
  for (const [figure, value] of Object.entries(figures[name])) {
    process.stdout.write(
      `  ${figure.padEnd(52)} ${value.toLocaleString("en", { maximumFractionDigits: 2 })}\n`,
    )
  }
}
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`)
process.exit(0)
