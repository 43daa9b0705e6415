import type { Command, Option } from "commander"

const NO = /^(0|f|false|n|no|off)$/i
const YES = /^(1|t|true|y|yes|on)$/i

/**
 * Prepares `env` for commander, which takes a flag without a value as given when its variable exists at all: an
 * empty variable is none, and HEADRACE_WAIT=false is the flag left out. Refuses any other text for such a flag.
 */
export function readEnvironment(program: Command, env: NodeJS.ProcessEnv): void {
  for (const command of [program, ...program.commands]) {
    for (const option of command.options) readTwin(command, option, env)
  }
}

function readTwin(command: Command, option: Option, env: NodeJS.ProcessEnv): void {
  const { envVar } = option
  const value = envVar === undefined ? undefined : env[envVar]
  if (envVar === undefined || value === undefined) return
  if (value === "") {
    delete env[envVar]
    return
  }
  if (option.required || option.optional) return
  if (NO.test(value)) delete env[envVar]
  else if (!YES.test(value)) command.error(`error: ${envVar} is "${value}": expected true or false`)
}
