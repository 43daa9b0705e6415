import { type Problem, problemText } from "@headrace/shared/foundation/problem"
import { targetText } from "@headrace/shared/foundation/target"
import type { TargetChange } from "@headrace/shared/plan/compare-plans"
import type { TargetFill } from "./measure-targets.ts"

/** What `check` has found. */
export interface Report {
  problems: readonly Problem[]
  sizes: readonly TargetFill[]
  /** Undefined without --base. */
  changes: readonly TargetChange[] | undefined
}

/** For programs: one JSON object. */
export function reportJson({ problems, sizes, changes }: Report): string {
  const targets = sizes.map(({ target, ...size }) => ({ ...target, ...size }))
  const changed = changes?.map(({ target, ...change }) => ({ ...target, ...change }))
  return `${JSON.stringify({ problems, targets, ...(changed && { changes: changed }) }, undefined, 2)}\n`
}

/** For people: problems as compilers print them, then sizes, then what changes. */
export function reportText({ problems, sizes, changes }: Report): string {
  const lines = [...new Set(problems.map(problemText))]
  for (const { target, keys, bytes, left } of sizes) {
    lines.push(`${targetText(target)}: ${keys} keys, ${bytes} bytes, ${left} left`)
  }
  for (const change of changes ?? []) lines.push(...changeLines(change))
  return lines.map((line) => `${line}\n`).join("")
}

/**
 * For GitHub Actions: annotations, then sizes and changes as plain lines.
 * Format: docs.github.com, "Workflow commands for GitHub Actions".
 */
export function reportGithub(report: Report): string {
  const annotations = [...new Set(report.problems.map(annotation))]
  return annotations.map((line) => `${line}\n`).join("") + reportText({ ...report, problems: [] })
}

function annotation({ severity, code, message, hint, file, line, column }: Problem): string {
  const position = [`file=${file}`, `line=${line}`, `col=${column}`].filter(
    (part) => !part.endsWith("=undefined"),
  )
  const properties = [...position, `title=${code}`].map((part) =>
    part.replaceAll(",", "%2C").replaceAll("\n", "%0A"),
  )
  const text = hint ? `${message} (${hint})` : message
  const escaped = text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")
  return `::${severity} ${properties.join(",")}::${escaped}`
}

function changeLines({ target, added, changed, removed }: TargetChange): string[] {
  const name = targetText(target)
  return [
    ...added.map((key) => `+ ${name} ${key}`),
    ...changed.map((key) => `~ ${name} ${key}`),
    ...removed.map((key) => `- ${name} ${key}`),
  ]
}
