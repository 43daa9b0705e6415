import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import { type Fate, fates, type MergeReport } from "./merge-report.ts"

/** Characters of a reason that are shown; an API server can be long-winded. */
const MOST_REASON = 500
/** GitHub takes 65,536 characters. */
const MOST_PART = 30_000
/** For the keys of one ConfigMap among several. */
const MOST_KEYS = 5_000

/** Ends every comment of ours about a merge, invisibly, so that it is found again whatever Redis has forgotten. */
export function commentMarker(repo: string, pull: number): string {
  return `<!-- headrace: ${repo}#${pull} -->`
}

/**
 * The comment on a merged pull request: what was updated in the words of Prow's updateconfig plugin, on
 * which people's eyes and scripts rely, then what was not and why, then what is still to come.
 * Undefined while there is nothing to say.
 */
export function commentText(report: MergeReport): string | undefined {
  const all = fates(report)
  const parts = [updatedText(all), failedText(all)].filter((part) => part !== undefined)
  if (parts.length === 0) return undefined
  const waiting = waitingText(all)
  return [...parts, ...(waiting ? [waiting] : []), commentMarker(report.repo, report.pull)].join("\n\n")
}

function updatedText(all: readonly Fate[]): string | undefined {
  const written = all.filter(({ state }) => state === "written").map(({ touched }) => touched)
  const [first, ...more] = written
  if (first === undefined) return undefined
  if (more.length === 0)
    return `Updated the ${targetText(first)} using the following files:${keysText(first, " ", MOST_PART)}`
  const items = written.map(
    (touched) => ` * ${targetText(touched)} using the following files:${keysText(touched, "   ", MOST_KEYS)}`,
  )
  return [`Updated the following ${written.length} configmaps:`, ...fitting(items, MOST_PART, " * ")].join(
    "\n",
  )
}

function failedText(all: readonly Fate[]): string | undefined {
  const items = all.flatMap((fate) =>
    fate.state === "failed"
      ? [` * ${targetText(fate.touched)}: ${code(fate.reason.slice(0, MOST_REASON))}`]
      : [],
  )
  if (items.length === 0) return undefined
  return ["Not updated, and holding the last good content:", ...fitting(items, MOST_PART, " * ")].join("\n")
}

function waitingText(all: readonly Fate[]): string | undefined {
  const waiting = all.filter(({ state }) => state === "waiting").map(({ touched }) => touched.target.cluster)
  const clusters = [...new Set(waiting)].map(code)
  if (clusters.length === 0) return undefined
  return `Still to come: ${clusters.length === 1 ? "cluster" : "clusters"} ${clusters.join(", ")}.`
}

function targetText({ target: { cluster, namespace, name } }: TouchedTarget): string {
  return `${code(name)} configmap in namespace ${code(namespace)} at cluster ${code(cluster)}`
}

function keysText({ keys }: TouchedTarget, indent: string, most: number): string {
  const lines = [...keys].map(([key, planned]) =>
    planned === undefined
      ? `${indent}- key ${code(key)} removed`
      : `${indent}- key ${code(key)} using file ${code(planned.file.path)}`,
  )
  return fitting(lines, most, `${indent}- `)
    .map((line) => `\n${line}`)
    .join("")
}

/** As many items as there is room for, in characters, and how many more there are. */
function fitting(items: readonly string[], room: number, bullet: string): string[] {
  let size = 0
  const count = items.findIndex((item) => {
    size += item.length + 1
    return size > room
  })
  return count < 0 ? [...items] : [...items.slice(0, count), `${bullet}and ${items.length - count} more`]
}

/** File names and reasons come from a repository and must not become markup or mentions. */
function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replace(/\s+/g, " ")}\``
}
