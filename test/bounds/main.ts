import { attackAgent, attackAgentByAnswers } from "./attack-agent.ts"
import { attackPlugin } from "./attack-plugin.ts"
import type { Confinement } from "./confined-program.ts"
import { cgroupMissing } from "./memory-cgroup.ts"

/**
 * The attacks that docs/reference/bounds.md names, against real programs under the memory limits of config/base:
 * `npm run test:bounds [-- plugin]`. Each ends within minutes. Prints what it took, who was named, and a verdict; ends with 1 when a
 * program was ended by the kernel, came to its limit, or did not go on.
 */
const ATTACKS = { agent: attackAgent, "agent, by answers": attackAgentByAnswers, plugin: attackPlugin }
const MIB = 1024 * 1024

const missing = cgroupMissing()
if (missing !== undefined) {
  process.stdout.write(`skipped: the shipped memory limits cannot be set here, since ${missing}\n`)
} else {
  const faults: string[] = []
  for (const [name, attack] of Object.entries(ATTACKS).filter(isChosen))
    faults.push(...(await judge(name, attack)))
  const verdict = faults.length === 0 ? "every attack was held" : `NOT HELD: ${faults.join("; ")}`
  process.stdout.write(`verdict: ${verdict}\n`)
  process.exit(faults.length === 0 ? 0 : 1)
}

/** Those that the arguments name, such as `plugin`; without any all of them. */
function isChosen([name]: [string, unknown]): boolean {
  const chosen = process.argv.slice(2)
  return chosen.length === 0 || chosen.includes(name)
}

/** Gives what is wrong with it; empty: it was held. */
async function judge(
  name: string,
  attack: () => Promise<Confinement & { named: readonly string[] }>,
): Promise<string[]> {
  try {
    const { limit, peak, kills, atLimit, named } = await attack()
    const took = `at most ${Math.round(peak / MIB)} of ${limit / MIB} MiB`
    process.stdout.write(
      `${name}: ${took}, ${atLimit} times at the limit, ${kills} times ended by the kernel\n`,
    )
    for (const line of named) process.stdout.write(`  ${line}\n`)
    const ended = kills === 0 ? [] : [`${name} was ended by the kernel`]
    return atLimit === 0 ? ended : [...ended, `${name} came to its limit`]
  } catch (error) {
    process.stdout.write(`${name}: ${String(error)}\n`)
    return [String(error)]
  }
}
