import { isBlank } from "../foundation/content-id.ts"
import { namedText } from "../foundation/named-text.ts"
import type { Problem } from "../foundation/problem.ts"
import { targetText } from "../foundation/target.ts"
import type { Plan, PlannedTarget } from "../plan/plan.ts"
import type { ChangeGate } from "../settings/gates.ts"
import type { FileChange } from "./changed-files.ts"
import { type EmptiedField, WHOLE_FILE } from "./emptied-fields.ts"

/** So many targets may change whatever share of all they are: in a small repository one is much. */
const FLOOR_TARGETS = 5
/** Files up to this size may grow and shrink as they like: a few lines make such a file twice as large. */
const FLOOR_BYTES = 64 * 1024
const MOST_NAMED = 3

/** What a commit does to what is in force, so far as its shape is judged. */
export interface Shape {
  /** Each with what its readers had before (moved-files.ts). */
  changed: readonly FileChange[]
  /** What the targets of all clusters hold and would hold; undefined: it is not known, as after other rules. */
  plans: { before: Plan; after: Plan } | undefined
  /** Fields that have no value any more, by file. */
  emptied: ReadonlyMap<string, readonly EmptiedField[]>
}

/**
 * Judges the shape of a change: the share of targets that it touches, files that grow or shrink many times, values that
 * become empty. What is deleted is the guard's to judge (guard/judge-change.ts). Pure.
 */
export function judgeShape(gate: ChangeGate, shape: Shape): Problem[] {
  return [...targetProblems(gate, shape), ...sizeProblems(gate, shape), ...emptyProblems(gate, shape)]
}

function targetProblems({ targets: share }: ChangeGate, { plans }: Shape): Problem[] {
  if (share === undefined || plans === undefined) return []
  const after = new Map(plans.after.targets.map((planned) => [targetText(planned.target), planned]))
  const held = plans.before.targets.filter(({ keys }) => keys.length > 0)
  const touched = held.filter((was) => !holdsTheSame(was, after.get(targetText(was.target))))
  if (touched.length <= FLOOR_TARGETS || touched.length <= held.length * share) return []
  const named = touched.slice(0, MOST_NAMED).map(({ target }) => targetText(target))
  const message = `this change touches ${touched.length} of ${held.length} ConfigMaps, more than ${percent(share)}: ${named.join(", ")} and ${touched.length - named.length} more (gate change.targets)`
  return [{ severity: "error", code: "gate/targets", message }]
}

function holdsTheSame(a: PlannedTarget, b: PlannedTarget | undefined): boolean {
  if (b === undefined || a.keys.length !== b.keys.length) return false
  if (a.keys === b.keys) return true
  return a.keys.every(({ key, file }, index) => {
    const other = b.keys[index]
    return other?.key === key && other.file.oid === file.oid
  })
}

function sizeProblems({ bytes: factor }: ChangeGate, { changed, plans }: Shape): Problem[] {
  if (factor === undefined) return []
  const grown = changed.filter((one) => isResized(one, factor))
  if (grown.length === 0) return []
  const written = plans && pathsOf([plans.before, plans.after])
  return grown.flatMap(({ before, after }): Problem[] => {
    const { path: file, size } = after
    const was = before?.size ?? 0
    if (written && !written.has(file)) return []
    const times = size > was ? `x${rounded(size / was)}` : size === 0 ? "nothing" : `1/${rounded(was / size)}`
    const message = `the file becomes ${times} of what it was: ${was} bytes to ${size}, and less than x${factor} is let through (gate change.bytes)`
    return [{ severity: "error", code: "gate/bytes", message, file }]
  })
}

/** A file that was empty has grown from nothing, which is no multiple; it is new. */
function isResized({ before, after: { size } }: FileChange, factor: number): boolean {
  if (before === undefined || before.size === 0) return false
  if (Math.max(size, before.size) <= FLOOR_BYTES) return false
  return size >= before.size * factor || size * factor <= before.size
}

function emptyProblems({ emptied: most }: ChangeGate, { changed, plans, emptied }: Shape): Problem[] {
  if (most === undefined) return []
  const blank = changed.filter(
    ({ before, after }) => before !== undefined && !isBlank(before) && isBlank(after),
  )
  const written = blank.length > 0 && plans ? pathsOf([plans.before, plans.after]) : undefined
  const files = blank.filter(({ after }) => written === undefined || written.has(after.path))
  const whole = new Set(files.map(({ after }) => after.path))
  const places = [
    ...[...whole].map((file) => ({ file, ...WHOLE_FILE })),
    ...[...emptied].flatMap(([file, fields]) =>
      whole.has(file) ? [] : fields.map((field) => ({ file, ...field })),
    ),
  ]
  const [first] = places
  if (first === undefined || places.length <= most) return []
  const named = namedText(
    places.map(({ file, name, line }) => `${file}:${line} ${name}`),
    MOST_NAMED,
  )
  const message = `${places.length} values become empty, more than ${most}: ${named} (gate change.emptied)`
  const { file, line, column } = first
  return [{ severity: "error", code: "gate/emptied", message, file, line, column }]
}

function pathsOf(plans: readonly Plan[]): Set<string> {
  return new Set(
    plans.flatMap(({ targets }) => targets.flatMap(({ keys }) => keys.map(({ file }) => file.path))),
  )
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`
}

function rounded(times: number): string {
  return times >= 10 ? String(Math.round(times)) : times.toFixed(1)
}
