import { isUtf8 } from "node:buffer"
import { type Paint, PLAIN } from "@headrace/shared/command-line/paint"
import { escapeLines } from "@headrace/shared/foundation/escape-text"
import { type TargetId, targetText } from "@headrace/shared/foundation/target"
import type { KeyDifference } from "@headrace/shared/plan/diff-config-map"
import { createTwoFilesPatch } from "diff"

/** A ConfigMap that is not as the rules want it. */
export interface TargetDifference {
  target: TargetId
  /**
   * `absent`: it will be created. `not-ours`, `other-source`: it needs adopt before anything is written. `orphan`:
   * it is the source's, and no rule names it. `prow-orphan`: Prow keeps it, and no rule names it.
   */
  state: "present" | "absent" | "not-ours" | "other-source" | "orphan" | "prow-orphan"
  /** None of an orphan: it keeps what it holds. */
  keys: readonly ExplainedDifference[]
}

/** A difference, with what in the repository makes it. */
export interface ExplainedDifference extends KeyDifference {
  /** Attributes of the file for which git writes other bytes to disk than it has: Prow takes those. */
  attributes?: readonly string[]
}

/** For programs: one entry per ConfigMap, text contents as unified diffs. */
export function differencesJson(differences: readonly TargetDifference[]): string {
  const listed = differences.map(({ target, state, keys }) => ({
    ...target,
    state,
    keys: Object.fromEntries(
      keys.map((one) => [
        one.key,
        {
          kind: one.kind,
          encoding: one.encoding ?? null,
          ...(one.attributes ? { attributes: one.attributes } : {}),
          diff: patchOf(target, one) ?? null,
        },
      ]),
    ),
  }))
  return `${JSON.stringify(listed, undefined, 2)}\n`
}

/** For people: a heading per ConfigMap, unified diffs of text; on a terminal in the colours of git. */
export function differencesText(
  differences: readonly TargetDifference[],
  { green, red }: Paint = PLAIN,
): string {
  // Contents and names are the repository's: escaped before the colours, which are ours, come in.
  const text = escapeLines(differences.map(targetDifferenceText).join("\n"))
  return text.replaceAll(/^\+.*$/gm, green).replaceAll(/^-.*$/gm, red)
}

const STATES = {
  present: "",
  absent: " (does not exist)",
  "not-ours": " (not ours: nothing is written before adopt)",
  "other-source": " (another source's: nothing is written before adopt)",
  orphan: " (no rule names it any more: apply --direct --prune removes it)",
  "prow-orphan": " (Prow's, and no rule names it: it is left alone)",
}

function targetDifferenceText({ target, state, keys }: TargetDifference): string {
  const lines = keys.map((one) => {
    const patch = one.kind === "changed" ? patchOf(target, one) : undefined
    return `  ${one.kind} ${one.key}${sizeText(one)}${attributesText(one)}\n${patch ?? ""}`
  })
  return `${targetText(target)}${STATES[state]}\n${lines.join("")}`
}

function attributesText({ attributes }: ExplainedDifference): string {
  if (attributes === undefined) return ""
  return ` (${attributes.join(", ")} in .gitattributes: a clone, which Prow reads, has other bytes on disk)`
}

function sizeText({ before, after, encoding }: KeyDifference): string {
  if (encoding) return `: the same content, to be ${encoding}ed`
  if (before && after) return `: ${before.length} to ${after.length} bytes`
  return `: ${(before ?? after)?.length ?? 0} bytes`
}

/** Undefined for what is not text, and where the content is equal. */
function patchOf(target: TargetId, { key, before, after, encoding }: KeyDifference): string | undefined {
  const old = before ?? Buffer.alloc(0)
  const now = after ?? Buffer.alloc(0)
  if (encoding || !isUtf8(old) || !isUtf8(now)) return undefined
  const name = `${targetText(target)}/${key}`
  return createTwoFilesPatch(name, name, old.toString("utf8"), now.toString("utf8"), "cluster", "rules")
}
