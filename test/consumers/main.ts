import { writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { withFolder } from "../harness/with-folder.ts"
import { type Consumer, rowOf } from "./consumer.ts"
import { ALL, GROUPS } from "./matrix.ts"
import { measure } from "./measure.ts"
import { missingPrograms } from "./missing-programs.ts"
import { consumersPage } from "./page.ts"
import { takePriority } from "./priority.ts"
import { keepResults, readLoad, readResults } from "./results.ts"
import { openSite, type Publisher } from "./site.ts"

/**
 * The consumer matrix: `npm run test:consumers -- [--publishers links,file] [--group servers] [--only TEXT] [--paced N]
 * [--flips N] [--add] [--seconds N] [--nice=N]`. Parts can be measured one at a time, `--add` until they have as many revisions
 * and flips as are wanted, each in `--seconds`; the page is written from all that was measured. `--nice=-15`, as root, keeps
 * what else the machine does out of the figures.
 */
const PAGE = join(dirname(fileURLToPath(import.meta.url)), "../../docs/consumers.md")
/** Controls fail soon. */
const CONTROL = { paced: 10, flips: 40 }

const { values } = parseArgs({
  options: {
    publishers: { type: "string", default: "links,exchange,file,kubelet,tears,silent" },
    group: { type: "string" },
    only: { type: "string" },
    paced: { type: "string", default: "1000" },
    flips: { type: "string", default: "10000" },
    add: { type: "boolean", default: false },
    seconds: { type: "string", default: "86400" },
    nice: { type: "string" },
    "page-only": { type: "boolean", default: false },
  },
})

if (values.nice !== undefined) takePriority(Number(values.nice))
const chosen = chooseConsumers()
if (!values["page-only"]) {
  for (const publisher of values.publishers.split(",") as Publisher[]) await measureAt(publisher)
}
const { page, wrong } = consumersPage(readResults(), readLoad())
writeFileSync(PAGE, page)
process.stdout.write(`${page}\n${wrong.map((each) => `wrong: ${each}\n`).join("")}`)
process.exitCode = wrong.length > 0 ? 1 : 0

function chooseConsumers(): Consumer[] {
  const group = values.group === undefined ? ALL : (GROUPS[values.group] ?? [])
  const wanted = group.filter(
    ({ name }) => values.only?.split(",").some((each) => name.includes(each)) ?? true,
  )
  for (const { name, needs } of wanted) {
    const missing = missingPrograms(needs)
    if (missing.length > 0)
      process.stderr.write(`${name} is not measured: ${missing.join(", ")} is not installed\n`)
  }
  return wanted.filter(({ needs }) => missingPrograms(needs).length === 0)
}

async function measureAt(publisher: Publisher): Promise<void> {
  const isControl = publisher === "tears" || publisher === "silent"
  const wanted = isControl ? CONTROL : { paced: Number(values.paced), flips: Number(values.flips) }
  const { paced, flips } = values.add ? lacking(publisher, wanted) : wanted
  if (paced === 0 && flips === 0) return
  await withFolder(async (folder) => {
    const site = await openSite(publisher, folder)
    try {
      const consumers = chosen.map((consumer) => ({ consumer, through: consumer.through }))
      const onProgress = (text: string) => process.stderr.write(`${text}\n`)
      const until = performance.now() + Number(values.seconds) * 1000
      keepResults(publisher, await measure({ site, consumers, paced, flips, until, onProgress }), values.add)
    } finally {
      await site.close()
    }
  })
}

/** What the rows of this run lack, by the one that has least. */
function lacking(
  publisher: Publisher,
  wanted: { paced: number; flips: number },
): { paced: number; flips: number } {
  const kept = readResults()[publisher] ?? {}
  const rows = chosen.flatMap(({ name, through }) => through.map((way) => kept[rowOf(name, way)]))
  const least = (count: "paced" | "flips") => Math.min(...rows.map((cell) => cell?.[count] ?? 0))
  return {
    paced: Math.max(0, wanted.paced - least("paced")),
    flips: Math.max(0, wanted.flips - least("flips")),
  }
}
