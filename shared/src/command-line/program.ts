import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { Command, CommanderError } from "commander"
import { closestWord } from "../foundation/closest-word.ts"
import { typedProgram } from "../foundation/typed-program.ts"
import { commandNames } from "./command-names.ts"
import { addCompletionCommand } from "./completion/completion-command.ts"
import { readEnvironment, withVariable } from "./environment.ts"
import { Flag } from "./flag.ts"
import { explainEnvironment, HELP, HELP_COLUMNS } from "./help.ts"
import { printUsageErrors, refuse, refuseStrayWords, refuseUnknownHelp } from "./usage-error.ts"

/** The group of what a program has beside its work. */
const MORE = "More:"
/** Of the variables that are flags' twins. */
const PREFIX = "HEADRACE_"

/**
 * A program's command line as all of ours have it: `--help` and `--version`, the environment behind every flag, the
 * nearest word for a misspelt one. `module` is the URL of the program's main module: its package names the version.
 */
export function createProgram(name: string, module: string): Command {
  const program = new Command(name)
    .version(`${name} ${packageVersion(module)}`, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .configureHelp(HELP)
    .configureOutput({
      getOutHelpWidth: () => Math.min(HELP_COLUMNS, process.stdout.columns ?? HELP_COLUMNS),
      getErrHelpWidth: () => Math.min(HELP_COLUMNS, process.stderr.columns ?? HELP_COLUMNS),
      // As a flag that is missing is named.
      outputError: (text, write) =>
        write(text.replace(/missing required argument '(.+)'/, "<$1> must be given")),
    })
    // Refused below, by the name that is nearest.
    .allowExcessArguments()
    .exitOverride()
  program.hook("preAction", (_, command) => {
    refuseStrayWords(command)
    refuseMissingFlags(command)
  })
  return program
}

/** Adds what every program has beside its work, once its own commands are there: `help`, `completion`, hints. */
export function completeProgram(program: Command): Command {
  program.commandsGroup(MORE).helpCommand("help [command]", "Prints the help of a command.")
  // What npm runs has no name of one word that a shell could complete.
  if (!program.name().includes(" ")) addCompletionCommand(program)
  explainEnvironment(program)
  for (const command of [program, ...program.commands]) {
    command.showHelpAfterError(`  Run "${pathOf(command)} --help" to see what it takes.`)
    printUsageErrors(command)
    refuseWrongValues(command)
  }
  return program
}

/**
 * Parses the arguments and runs the command that they name. Gives 0 after help and version, 2 after a misuse of which
 * commander has printed the message, otherwise undefined: the command's own code counts. `before` runs once the
 * program is complete, and may refuse the arguments by `program.error`.
 */
export async function runCommandLine(
  program: Command,
  args: readonly string[] = process.argv,
  before?: () => void,
): Promise<0 | 2 | undefined> {
  completeProgram(program)
  let running: Command | undefined
  program.hook("preAction", (_, command) => {
    running = command
  })
  try {
    readEnvironment(program, process.env)
    refuseUnknownHelp(program, args)
    before?.()
    await program.parseAsync(args)
    return undefined
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw withVariable(error, running, process.env)
  }
}

/** `headrace-agent publish`; a hidden command is its program's own way of being called. */
function pathOf(command: Command): string {
  const { parent } = command
  const program = typedProgram((parent ?? command).name()).join(" ")
  return parent && commandNames(parent).includes(command.name()) ? `${program} ${command.name()}` : program
}

/** The version in the package.json of the package that a module is in; `unknown` without one. `module` is its URL. */
export function packageVersion(module: string): string {
  let folder = dirname(fileURLToPath(module))
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder)
  const file = join(folder, "package.json")
  if (!existsSync(file)) return "unknown"
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version?: string }
  return version ?? "unknown"
}

/** An empty value is a variable of a script that was not set. Of two values the last would count, unnoticed. */
function refuseWrongValues(command: Command): void {
  for (const option of command.options) {
    if (!(option instanceof Flag) || !(option.required || option.optional)) continue
    const takes = option.flags.replace(/^.* /, "")
    let first: string | undefined
    command.on(`option:${option.name()}`, (value: string | null) => {
      if (value === "" && option.defaultValue !== "") {
        const message = `${option.long} is empty; it takes ${takes}: ${option.description}`
        refuse(command, "usage/wrong-value", message)
      }
      if (first !== undefined && first !== value && !option.variadic) {
        const message = `${option.long} is given twice, as "${first}" and as "${value}"`
        refuse(command, "usage/given-twice", message)
      }
      first = value ?? undefined
    })
  }
}

function refuseMissingFlags(command: Command): void {
  const missing = command.options.filter(
    (option) =>
      option instanceof Flag &&
      option.isNeeded &&
      command.getOptionValue(option.attributeName()) === undefined,
  )
  if (missing.length === 0) return
  const names = missing.map(({ flags }) => flags).join(" and ")
  const given = missing.flatMap((option) => (option instanceof Flag && option.hint ? [option.hint] : []))
  const twins = new Set(command.options.flatMap(({ envVar }) => envVar ?? []))
  const hints = [...given, ...missing.flatMap(({ envVar }) => misspeltTwin(envVar, twins))]
  refuse(command, "usage/missing-flag", `${names} must be given`, ...hints)
}

/** A variable that is most likely a slip of a flag's twin: nothing reads it, so no value of it is ever refused. */
function misspeltTwin(twin: string | undefined, twins: ReadonlySet<string>): string[] {
  if (twin === undefined) return []
  const strangers = Object.keys(process.env).filter((name) => name.startsWith(PREFIX) && !twins.has(name))
  const words = strangers.map((name) => name.slice(PREFIX.length))
  const found = closestWord(twin.slice(PREFIX.length), words)
  return found === undefined ? [] : [`Nothing reads ${PREFIX}${found}: did you mean ${twin}?`]
}
