import { escapeLine, escapeText } from "@headrace/shared/foundation/escape-text"
import { type Problem, problemText } from "@headrace/shared/foundation/problem"
import { targetText } from "@headrace/shared/foundation/target"
import type { TargetChange } from "@headrace/shared/plan/compare-plans"
import { lostFiles } from "./group-collisions.ts"
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

/** For people: problems as compilers print them, equal ones once, then sizes, then what changes. */
export function reportText({ problems, sizes, changes }: Report): string {
  const lines = [...oncePrinted(problems).map(problemText), ...totalLines(problems)]
  for (const { target, keys, bytes, left } of sizes) {
    lines.push(`${targetText(target)}: ${keys} ${keys === 1 ? "key" : "keys"}, ${bytes} bytes, ${left} left`)
  }
  for (const change of changes ?? []) lines.push(...changeLines(change))
  return lines.map((line) => `${escapeLine(line)}\n`).join("")
}

/** A rule that leads to nine namespaces fails nine targets for one reason, which is one line. */
function oncePrinted(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problemText(problem), problem])).values()]
}

/** `2 errors, 5 warnings; 118 files lost`, of the lines that are printed; nothing where nothing is wrong. */
function totalLines(all: readonly Problem[]): string[] {
  const problems = oncePrinted(all)
  if (problems.length === 0) return []
  const errors = problems.filter(({ severity }) => severity === "error").length
  const lost = lostFiles(problems)
  const parts = [counted(errors, "error"), counted(problems.length - errors, "warning")].join(", ")
  return [lost === 0 ? parts : `${parts}; ${counted(lost, "file")} lost`]
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
}

/**
 * For GitHub Actions: annotations, then sizes and changes as plain lines.
 * Format: docs.github.com, "Workflow commands for GitHub Actions".
 */
export function reportGithub(report: Report): string {
  const annotations = oncePrinted(report.problems).map(annotation)
  const total = totalLines(report.problems)
  return (
    [...annotations, ...total].map((line) => `${line}\n`).join("") + reportText({ ...report, problems: [] })
  )
}

function annotation({ severity, code, message, hint, file, line, column }: Problem): string {
  const position = [`file=${file}`, `line=${line}`, `col=${column}`].filter(
    (part) => !part.endsWith("=undefined"),
  )
  const properties = [...position, `title=${code}`].map(property)
  const text = hint ? `${message} (${hint})` : message
  return `::${severity} ${properties.join(",")}::${data(text)}`
}

/** `name=value` of a workflow command, escaped as @actions/core does (toolkit, packages/core/src/command.ts). */
function property(part: string): string {
  const at = part.indexOf("=")
  const value = data(part.slice(at + 1))
    .replaceAll(":", "%3A")
    .replaceAll(",", "%2C")
  return `${part.slice(0, at)}=${value}`
}

function data(text: string): string {
  return escapeText(text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A"))
}

function changeLines({ target, added, changed, removed }: TargetChange): string[] {
  const name = targetText(target)
  return [
    ...added.map((key) => `+ ${name} ${key}`),
    ...changed.map((key) => `~ ${name} ${key}`),
    ...removed.map((key) => `- ${name} ${key}`),
  ]
}
