import { readFileSync } from "node:fs"
import { join } from "node:path"
import { load } from "js-yaml"
import { commandBlocks } from "../docs/command-blocks.ts"

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/prow.md"), "utf8")

/** The lines that docs/prow.md has a reader type under a heading, continued ones put together. */
export function linesUnder(heading: string): string[] {
  return commandBlocks(sectionOf(heading)).flatMap(({ text }) =>
    text
      .trim()
      .replaceAll(/\\\n\s*/g, "")
      .split("\n"),
  )
}

/** The operator's file that docs/prow.md begins with. */
export function settingsOfPage(): Record<string, unknown> & { sources: { release: object } } {
  const [, text = ""] = /^```yaml\n# headrace\.yaml\n([\s\S]*?)^```$/m.exec(PAGE) ?? []
  return load(text) as ReturnType<typeof settingsOfPage>
}

/** From a heading to the next one. */
function sectionOf(heading: string): string {
  const start = PAGE.indexOf(`# ${heading}\n`)
  if (start < 0) throw new Error(`docs/prow.md has no heading "${heading}"`)
  const body = PAGE.slice(PAGE.indexOf("\n", start))
  const end = /^##+ /m.exec(body)?.index
  return body.slice(0, end)
}
