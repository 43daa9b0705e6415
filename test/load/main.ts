import { mergeBurst } from "./merge-burst.ts"
import { fetchManyTimes } from "./mirror-fetches.ts"
import { changeSettings } from "./settings-changes.ts"

/**
 * The long forms: a burst of merges through the whole control plane, as many fetches of one mirror, and settings that
 * change under load: `npm run test:load`, or `node --conditions=source test/load/main.ts [MERGES [CHANGES]]`.
 */
const merges = Number(process.argv[2] ?? 2000)
const changes = Number(process.argv[3] ?? 500)
process.stdout.write(`burst ${JSON.stringify(await mergeBurst(merges), null, 2)}\n`)
process.stdout.write(`mirror ${JSON.stringify(await fetchManyTimes(merges), null, 2)}\n`)
const settings = await changeSettings(changes, {
  pause: 50,
  onChange(number) {
    if (number % 50 === 0) process.stdout.write(`settings: ${number} changes\n`)
  },
})
process.stdout.write(`settings ${JSON.stringify(settings, null, 2)}\n`)
