import { wrapText } from "../foundation/wrap-text.ts"
import { HELP_COLUMNS } from "./help.ts"

const INDENT = "  "

/** A term and its description in help that is written by hand: 80 columns, the description from a column of its own. */
export function helpItem(term: string, description: string, termWidth: number): string {
  const column = INDENT.length + termWidth
  const lines = wrapText(description, HELP_COLUMNS - column)
  const isLong = term.length >= termWidth
  const below = (isLong ? lines : lines.slice(1)).map((line) => `${" ".repeat(column)}${line}`)
  return [isLong ? INDENT + term : INDENT + term.padEnd(termWidth) + lines[0], ...below].join("\n")
}

/** `  TERM: text` over as many lines of 80 columns as it needs. */
export function helpNote(term: string, text: string): string {
  const lines = wrapText(`${term}: ${text}`, HELP_COLUMNS - 2 * INDENT.length)
  return lines.map((line, at) => (at === 0 ? INDENT : INDENT + INDENT) + line).join("\n")
}
