import type { Command, Option } from "commander"
import { restated, UsageError } from "../foundation/errors.ts"
import { refuse } from "./usage-error.ts"

const NO = /^(0|f|false|n|no|off)$/i
const YES = /^(1|t|true|y|yes|on)$/i

/**
 * Prepares `env` for commander, which takes a flag without a value as given when its variable exists at all: an
 * empty variable is none, and HEADRACE_WAIT=false is the flag left out. Refuses any other text for such a flag, of the
 * command that runs: other commands may have a flag of that name with a value.
 */
export function readEnvironment(program: Command, env: NodeJS.ProcessEnv): void {
  readTwins(program, env)
  program.hook("preSubcommand", (_, command) => readTwins(command, env))
}

function readTwins(command: Command, env: NodeJS.ProcessEnv): void {
  for (const option of command.options) readTwin(command, option, env)
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
  else if (!YES.test(value)) {
    refuse(command, "usage/wrong-value", `${envVar} is "${value}": expected true or false`)
  }
}

/**
 * An error of a command as it is, or with the variable named that gave the value which the error is about: such a value is
 * judged where it is used, which does not know where it came from.
 */
export function withVariable(error: unknown, command: Command | undefined, env: NodeJS.ProcessEnv): unknown {
  if (!(error instanceof UsageError) || command === undefined) return error
  const [first = "", ...rest] = error.message.split("\n")
  const isMeant = (option: Option) =>
    command.getOptionValueSource(option.attributeName()) === "env" &&
    isAbout(first, option, env[option.envVar ?? ""])
  const envVar = command.options.find(isMeant)?.envVar
  if (envVar === undefined || error.message.includes(envVar)) return error
  return restated(error, { message: [`${first} (given by ${envVar})`, ...rest].join("\n") })
}

/** True when a message names the flag or has its value as a word of its own; choices and switches are judged before. */
function isAbout(message: string, option: Option, value: string | undefined): boolean {
  if (option.argChoices || !(option.required || option.optional)) return false
  const words = message.split(/[\s"'`(),;]+/).map((word) => word.replace(/:$/, ""))
  return [option.long, value].some((one) => typeof one === "string" && words.includes(one))
}
