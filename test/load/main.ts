import { mergeBurst } from "./merge-burst.ts"
import { fetchManyTimes } from "./mirror-fetches.ts"

/**
 * The long forms: a burst of merges through the whole control plane, and as many fetches of one mirror:
 * `npm run test:load`, or `node --conditions=source test/load/main.ts [MERGES]`.
 */
const merges = Number(process.argv[2] ?? 2000)
process.stdout.write(`burst ${JSON.stringify(await mergeBurst(merges), null, 2)}\n`)
process.stdout.write(`mirror ${JSON.stringify(await fetchManyTimes(merges), null, 2)}\n`)
