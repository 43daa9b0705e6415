import { attackAgent } from "./attack-agent.ts"
import { attackPlugin } from "./attack-plugin.ts"
import { cgroupMissing } from "./memory-cgroup.ts"

/**
 * The attacks that docs/reference/bounds.md names, against real programs under the memory limits of config/base:
 * `npm run test:bounds`. Prints what each took; ends with 1 when a program was ended by the kernel or came to its limit.
 */
const MIB = 1024 * 1024
const missing = cgroupMissing()
if (missing !== undefined) {
  process.stdout.write(`skipped: the shipped memory limits cannot be set here, since ${missing}\n`)
} else {
  for (const attack of [attackAgent, attackPlugin]) {
    const { limit, peak, kills, ...found } = await attack()
    const within = kills === 0
    process.stdout.write(
      `${attack.name}: at most ${Math.round(peak / MIB)} of ${limit / MIB} MiB, ended by the kernel ${kills} times\n`,
    )
    process.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`)
    if (!within) process.exitCode = 1
  }
}
