import type { Paint } from "../command-line/paint.ts"
import { escapeText } from "../foundation/escape-text.ts"
import { wrapText } from "../foundation/wrap-text.ts"
import type { Explanation, PlaceExplanation } from "./explanation.ts"
import { COLUMNS, findingLines, painted, SYMBOLS } from "./status-text.ts"

/** So much of what is well is listed; an explanation is to fit one screen. */
const NAMED_WELL = 5
const LABEL = 9

/** An explanation in text: the answer, the way to the clusters, then each cluster, worst first. */
export function explanationText(explained: Explanation, paint: Paint, columns = COLUMNS): string {
  const { kind, name, level, answer, steps, places, at } = explained
  const symbol = painted(paint, level, SYMBOLS[level])
  const [head = "", ...rest] = wrapText(escapeText(`${kind} ${name}: ${answer}`), columns - 2)
  const title = [`${symbol} ${paint.bold(head)}`, ...rest.map((line) => `  ${line}`)]
  const way = steps.flatMap((step) => {
    const mark = painted(paint, step.level, SYMBOLS[step.level])
    const lines = wrapText(escapeText(step.text), columns - LABEL - 4)
    const label = paint.dim(step.what.padEnd(LABEL))
    return lines.map((line, at) =>
      at === 0 ? `  ${mark} ${label}${line}` : `    ${" ".repeat(LABEL)}${line}`,
    )
  })
  const well = places.filter((place) => place.level === "well")
  const shown = places.filter((place) => !well.slice(NAMED_WELL).includes(place))
  const below = shown.flatMap((place) => placeLines(place, at, paint, columns))
  const more = places.length - shown.length
  const rest2 = more > 0 ? [`  ${painted(paint, "well", SYMBOLS.well)} and ${more} more are well`] : []
  return `${[...title, ...way, ...below, ...rest2].join("\n")}\n`
}

/** What a finding below says in full is not said twice. */
function withoutDetail(text: string, findings: PlaceExplanation["findings"]): string {
  const said = findings.find(({ detail }) => detail !== null && text.endsWith(`: ${detail}`))
  return said?.detail ? text.slice(0, -`: ${said.detail}`.length) : text
}

function placeLines(
  { place, level, text, findings }: PlaceExplanation,
  at: string,
  paint: Paint,
  columns: number,
): string[] {
  const mark = painted(paint, level, SYMBOLS[level])
  const [head = "", ...rest] = wrapText(escapeText(`${place}: ${withoutDetail(text, findings)}`), columns - 4)
  const lines = [`  ${mark} ${head}`, ...rest.map((line) => `    ${line}`)]
  return [...lines, ...findings.flatMap((finding) => findingLines(finding, at, paint, columns))]
}
