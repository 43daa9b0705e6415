import type { Paint } from "../command-line/paint.ts"
import { escapeText } from "../foundation/escape-text.ts"
import { wrapCommand, wrapText } from "../foundation/wrap-text.ts"
import { timeAndAge } from "./age-text.ts"
import type { ClusterSourceStatus, Finding, FleetStatus, Level, NodeCount } from "./fleet-status.ts"
import { shortCommit } from "./short-commit.ts"
import { stateLabel } from "./state-label.ts"

export const COLUMNS = 80
const INDENT = "    "
export const SYMBOLS: { readonly [level in Level]: string } = { trouble: "✗", notice: "!", well: "✓" }

/** What happened at one time, where all else lasts since then. */
const EVENTS = ["foreign", "late"]

/** Everything in text, worst first: what needs a person in full, a line for each cluster that is well. */
export function statusText(status: FleetStatus, paint: Paint, columns = COLUMNS): string {
  const { clusterSources, findings, at } = status
  const well = clusterSources.filter(({ level }) => level === "well")
  const others = clusterSources.filter(({ level }) => level !== "well")
  const lines = rowLines(others, paint)
  const inFull = others.map((one, row) => {
    const below = isSaidBelow(one, others[row + 1])
    const found = below ? [] : one.findings.flatMap((finding) => findingLines(finding, at, paint, columns))
    const text = [lines[row], ...found].join("\n")
    return below ? `${text}\n` : `${text}\n\n`
  })
  const fleet = findings.map((finding) => {
    const first = `${painted(paint, finding.level, SYMBOLS[finding.level])} `
    return findingLines(finding, at, paint, columns, first).join("\n")
  })
  const healthy = well.length > 0 ? [rowLines(well, paint).join("\n")] : []
  const head = [summaryText(status, paint), ...fleet].join("\n\n")
  return `${[`${head}\n\n`, ...inFull, ...healthy].join("").trimEnd()}\n`
}

/** A cluster that does not answer is one trouble, however many sources have a line of it: its reason follows the last of them. */
function isSaidBelow(one: ClusterSourceStatus, next: ClusterSourceStatus | undefined): boolean {
  if (one.state !== "unreachable" || next?.state !== "unreachable" || one.cluster !== next.cluster)
    return false
  const [why, whyNext] = [one.findings[0], next.findings[0]]
  // A record that is not believed is that of one source.
  return why?.detail === whyNext?.detail || (why?.command !== null && why?.command === whyNext?.command)
}

function rowLines(places: readonly ClusterSourceStatus[], paint: Paint): string[] {
  const rows = places.map(rowOf)
  const widths = columnWidths(rows)
  return places.map(({ level }, at) =>
    `${painted(paint, level, SYMBOLS[level])} ${padded(rows[at] ?? [], widths)}`.trimEnd(),
  )
}

/** `2 in trouble, 1 to notice, 97 well`, and when. */
export function summaryOf({ clusterSources, findings }: FleetStatus): string {
  const count = (level: Level) => clusterSources.filter((one) => one.level === level).length
  const counts = [
    ...(count("trouble") > 0 ? [`${count("trouble")} in trouble`] : []),
    ...(count("notice") > 0 ? [`${count("notice")} to notice`] : []),
    ...(count("well") > 0 ? [`${count("well")} well`] : []),
  ]
  const unknown = [...new Set(findings.map(({ kind }) => (kind === "git" ? "git" : "Redis")))]
  const asked = unknown.length > 0 ? [`trouble with ${unknown.join(" and ")}`] : []
  return [...asked, ...counts].join(", ") || "no cluster and no source in the settings"
}

function summaryText(status: FleetStatus, paint: Paint): string {
  const at = status.at.replace(/\.\d+Z$/, "Z")
  return `${paint.bold(summaryOf(status))}  ${paint.dim(at)}`
}

/** The cells of a line: source and cluster, state, commit, lag, nodes, size. */
function rowOf(one: ClusterSourceStatus): string[] {
  const { store } = one
  return [
    escapeText(`${one.source} in ${one.cluster}`),
    stateLabel(one),
    one.commit === null ? "" : shortCommit(one.commit),
    one.behind ? `${one.behind} behind` : "",
    liveText(one.nodes),
    store === null || one.level !== "well" ? "" : `${store.files} files`,
  ]
}

/** `live on 19/20 nodes`; nothing where none is known. */
export function liveText(nodes: NodeCount | null): string {
  if (nodes === null) return ""
  const all = nodes.total + nodes.silent.length
  return all === 0 ? "no node reports" : `live on ${nodes.live}/${all} nodes`
}

function columnWidths(rows: readonly string[][]): number[] {
  const count = Math.max(0, ...rows.map((row) => row.length))
  return Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)))
}

function padded(row: readonly string[], widths: readonly number[]): string {
  return row.flatMap((cell, at) => (widths[at] ? [cell.padEnd(widths[at])] : [])).join("  ")
}

/** What is so, what to do, and the command to type. */
export function findingLines(
  finding: Finding,
  at: string,
  paint: Paint,
  columns = COLUMNS,
  first = INDENT,
): string[] {
  const width = columns - INDENT.length
  const [head = "", ...more] = wrapText(findingText(finding, at), width)
  const advice = finding.advice === null ? [] : wrapText(escapeText(finding.advice), width)
  const command = finding.command === null ? [] : wrapCommand(escapeText(finding.command), width - 2)
  return [
    first + head,
    ...more.map((line) => INDENT + line),
    ...advice.map((line) => INDENT + paint.dim(line)),
    ...command.map((line, index) => `${INDENT}${index === 0 ? "→ " : "  "}${paint.bold(line)}`),
  ]
}

/** `stopped at 0a1b2c since TIME (5 min ago): why [code]`, in one line. */
export function findingText({ kind, text, since, detail, code }: Finding, at: string): string {
  const time = since === null ? "" : ` ${EVENTS.includes(kind) ? "" : "since "}${timeAndAge(since, at)}`
  const why = detail === null ? "" : `: ${detail}`
  const named = code !== null && !why.includes(code) ? ` [${code}]` : ""
  return escapeText(text + time + why + named)
}

/** A text in the colour of a level. */
export function painted(paint: Paint, level: Level, text: string): string {
  if (level === "trouble") return paint.red(text)
  return level === "notice" ? paint.yellow(text) : paint.green(text)
}
