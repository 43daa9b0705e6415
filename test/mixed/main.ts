import type { Row } from "./combination.ts"
import { COMBINATIONS } from "./combinations.ts"
import { EARLIER, hasCommit, today, withEarlierPrograms } from "./earlier-programs.ts"
import { withFleet } from "./fleet.ts"

/**
 * The long form of what programs of two versions do together: `npm run test:mixed`, or
 * `node --conditions=source test/mixed/main.ts [NAME]` for the combinations whose name contains NAME. Prints what each one
 * did; ends with 1 when one did something else.
 */
const [, , wanted = ""] = process.argv
let failed = 0

if (!hasCommit(EARLIER)) {
  process.stderr.write(`this clone does not have commit ${EARLIER}: run git fetch --unshallow\n`)
  process.exit(2)
}

await withEarlierPrograms(EARLIER, async (earlier) => {
  for (const { name, run } of COMBINATIONS.filter((one) => one.name.includes(wanted))) {
    process.stdout.write(`\n${name}\n`)
    try {
      await withFleet({ earlier, today }, (fleet) =>
        run(fleet, async (what, did) => {
          const row: Row = { what, did, format: (await fleet.record()).format }
          process.stdout.write(`  ${row.what.padEnd(62)} format ${row.format}  ${row.did}\n`)
        }),
      )
    } catch (error) {
      failed += 1
      process.stdout.write(`  FAILED: ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
})
process.stdout.write(failed === 0 ? "\nall combinations did what they must\n" : `\n${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
