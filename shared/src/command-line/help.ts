import type { Command, Help, HelpConfiguration, Option } from "commander"
import { environmentTwin, Flag } from "./flag.ts"

/** Help is as wide as a terminal was when terminals had a width. */
export const HELP_COLUMNS = 80
/** A longer flag has its description on the line below. */
const MOST_TERM = 24
const TERM_INDENT = 2
const GAP = 2

const TWINS =
  "Every flag can also be given in the environment: --source-path as\nHEADRACE_SOURCE_PATH. What the command line gives comes first."

/** How our programs print `--help`: required flags marked, 80 columns, the environment explained once. */
export const HELP: HelpConfiguration = {
  optionDescription: describeOption,
  padWidth: (command, helper) => Math.min(MOST_TERM, longestTerm(command, helper)),
  formatItem,
}

/** Adds examples to a command's help; each is a line to type, with a comment of a few words after `#`. */
export function addExamples(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  ${example}`).join("\n")
  return command.addHelpText("after", `\nExamples:\n${lines}`)
}

/** Adds how flags and the environment belong together, below everything else. */
export function explainEnvironment(program: Command): void {
  program.addHelpText("afterAll", `\n${TWINS}`)
}

function describeOption(option: Option): string {
  const notes = [
    ...(option instanceof Flag && option.isNeeded ? ["required"] : []),
    ...(option.argChoices ? [`one of ${option.argChoices.join(", ")}`] : []),
    ...(hasShownDefault(option) ? [`default: ${defaultText(option)}`] : []),
    ...(option.envVar && option.envVar !== environmentTwin(option) ? [`env: ${option.envVar}`] : []),
  ]
  return notes.length === 0 ? option.description : `${option.description} (${notes.join("; ")})`
}

function hasShownDefault({ defaultValue, defaultValueDescription }: Option): boolean {
  if (defaultValueDescription !== undefined) return true
  const isEmpty = Array.isArray(defaultValue) && defaultValue.length === 0
  return defaultValue !== undefined && defaultValue !== "" && typeof defaultValue !== "boolean" && !isEmpty
}

function defaultText({ defaultValue, defaultValueDescription }: Option): string {
  return defaultValueDescription ?? String(defaultValue)
}

function longestTerm(command: Command, helper: Help): number {
  return Math.max(
    helper.longestOptionTermLength(command, helper),
    helper.longestGlobalOptionTermLength(command, helper),
    helper.longestSubcommandTermLength(command, helper),
    helper.longestArgumentTermLength(command, helper),
  )
}

function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const start = " ".repeat(TERM_INDENT)
  if (description === "") return start + term
  const column = TERM_INDENT + termWidth + GAP
  const width = (helper.helpWidth ?? HELP_COLUMNS) - column
  const text = helper.boxWrap(description, width).replaceAll("\n", `\n${" ".repeat(column)}`)
  if (term.length > termWidth) return `${start}${term}\n${" ".repeat(column)}${text}`
  return start + term.padEnd(termWidth + GAP) + text
}
