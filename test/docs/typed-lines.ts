import { readFileSync } from "node:fs"
import { join } from "node:path"
import { commandBlocks } from "./command-blocks.ts"

/** The text of a page of this repository. */
export function pageText(page: string): string {
  return readFileSync(join(import.meta.dirname, "../..", page), "utf8")
}

/** The lines that a page has a reader type under a heading, continued ones put together. */
export function linesUnder(page: string, heading: string): string[] {
  return commandBlocks(sectionOf(page, heading)).flatMap(({ text }) =>
    text
      .trim()
      .replaceAll(/\\\n\s*/g, "")
      .split("\n"),
  )
}

/** From a heading to the next one. */
function sectionOf(page: string, heading: string): string {
  const text = pageText(page)
  const start = text.indexOf(`# ${heading}\n`)
  if (start < 0) throw new Error(`${page} has no heading "${heading}"`)
  const body = text.slice(text.indexOf("\n", start))
  const end = /^##+ /m.exec(body)?.index
  return body.slice(0, end)
}
