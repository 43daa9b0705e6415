/** What a terminal or a log would act on: control characters of C0 and C1, DEL, and what reorders or splits lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/**
 * Text that a repository, a payload or a cluster named, fit for one line of a terminal or log: what a terminal would
 * act on is written as an escape sequence, as JSON writes it. Printable text, of any script, stays as it is.
 */
export function escapeText(text: string): string {
  return text.replaceAll(UNPRINTABLE, escapeOne)
}

/**
 * The same for text of several lines that are our own, such as a report: line feeds and tabs stay, and a line cannot be taken
 * for a workflow command of GitHub Actions, which begin with `::` or `##[` (docs.github.com, "Workflow commands").
 */
export function escapeLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.split("\t").map(escapeText).join("\t"))
    .map(withoutCommand)
    .join("\n")
}

/** Text of one line, with what a repository named in it: line feeds and tabs are escaped too. */
export function escapeLine(text: string): string {
  return withoutCommand(escapeText(text))
}

function withoutCommand(line: string): string {
  return line.replace(/^(\s*)(::|##\[)/, "$1\\$2")
}

function escapeOne(character: string): string {
  const named = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character]
  return named ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}
