import { mergeBurst } from "./merge-burst.ts"

/** The long form of the burst: `npm run test:load`, or `node --conditions=source test/load/main.ts [MERGES]`. */
const merges = Number(process.argv[2] ?? 2000)
process.stdout.write(`${JSON.stringify(await mergeBurst(merges), null, 2)}\n`)
