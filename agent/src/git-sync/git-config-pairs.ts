import { UsageError } from "@headrace/shared/foundation/errors"

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", '"': '"', ",": ",", "\\": "\\" }

/**
 * Reads git-sync's list of git settings: `section.var:value`, with commas between them; a key or value in double
 * quotes can hold colons and commas, and `\n`, `\t`, `\"`, `\,`, `\\` are escapes there and in every value. Throws
 * UsageError `git-sync/bad-option`.
 */
export function parseGitConfigPairs(text: string): [key: string, value: string][] {
  const pairs: [string, string][] = []
  const reader = { text, at: 0 }
  while (reader.at < text.length) {
    const key = text[reader.at] === '"' ? quoted(reader) : plainKey(reader)
    if (text[reader.at] !== ":") throw bad(text, `${JSON.stringify(key)} has no value`)
    reader.at += 1
    const value = text[reader.at] === '"' ? quoted(reader) : plainValue(reader)
    if (reader.at < text.length && text[reader.at] !== ",") {
      throw bad(text, `expected a comma after the value of ${JSON.stringify(key)}`)
    }
    reader.at += 1
    pairs.push([key, value])
  }
  return pairs
}

interface Reader {
  readonly text: string
  at: number
}

function plainKey(reader: Reader): string {
  const end = /[:,]|$/.exec(reader.text.slice(reader.at))?.index ?? 0
  const key = reader.text.slice(reader.at, reader.at + end)
  reader.at += end
  return key
}

function plainValue(reader: Reader): string {
  let value = ""
  for (; reader.at < reader.text.length && reader.text[reader.at] !== ","; reader.at += 1)
    value += next(reader)
  return value
}

function quoted(reader: Reader): string {
  let value = ""
  for (reader.at += 1; reader.text[reader.at] !== '"'; reader.at += 1) {
    if (reader.at >= reader.text.length) throw bad(reader.text, "a quote is not closed")
    value += next(reader)
  }
  reader.at += 1
  return value
}

/** One character, or the one that an escape represents; `at` is left on its last one. */
function next(reader: Reader): string {
  const char = reader.text[reader.at] ?? ""
  if (char !== "\\") return char
  reader.at += 1
  const escaped = ESCAPES[reader.text[reader.at] ?? ""]
  if (escaped === undefined) throw bad(reader.text, `\\${reader.text[reader.at] ?? ""} is no escape`)
  return escaped
}

function bad(text: string, what: string): UsageError {
  return new UsageError("git-sync/bad-option", `cannot read git settings ${JSON.stringify(text)}: ${what}`, {
    hint: 'Write section.key:value, such as http.proxy:http://proxy, or "section.key":"value" where it holds a comma.',
  })
}
