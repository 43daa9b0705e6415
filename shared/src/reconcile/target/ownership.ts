import type { ConfigMap, ObjectMeta } from "../../foundation/config-map.ts"
import { FULL_ID } from "../../foundation/object-id.ts"
import type { Token } from "../../record/record.ts"

/** Prow's own labels: they mark what its updateconfig plugin keeps, and count as ours. */
const PROW_LABELS = {
  "app.kubernetes.io/name": "prow",
  "app.kubernetes.io/component": "updateconfig-plugin",
} as const

/** Label with the source's name on every target: how orphans are found. */
export const SOURCE_LABEL = "headrace.dev/source"

const OURS = "headrace.dev/"
/** Selects what Prow keeps and no source of ours has taken over. */
export const PROW_SELECTOR = [
  ...Object.entries(PROW_LABELS).map(([name, value]) => `${name}=${value}`),
  `!${SOURCE_LABEL}`,
].join(",")
/** Of the annotations. */
const FORMAT = 1

/** Who wrote a target last, and at what. */
export interface Stamp {
  source: string
  token: Token
  commit: string
  /** The commit of the rules, where they come from another source. */
  rulesCommit?: string | null | undefined
  /** Digest of what it then held (content-digest.ts). Undefined when another version wrote it, that kept none. */
  content?: string | undefined
}

/**
 * True when the ConfigMap carries Prow's labels or ours, or a stamp of ours, from which somebody took the labels: it may be
 * written. Anything else needs `adopt`.
 */
export function isOurs(configMap: ConfigMap): boolean {
  const labels = configMap.metadata.labels ?? {}
  if (labels[SOURCE_LABEL] !== undefined || readStamp(configMap) !== undefined) return true
  return Object.entries(PROW_LABELS).every(([name, value]) => labels[name] === value)
}

/**
 * The other source that a ConfigMap belongs to; undefined: it is `source`'s, or no source's. We write label and stamp
 * together, and `adopt` takes another's stamp off: where one of the two names `source`, a stranger changed the other.
 */
export function otherOwner(configMap: ConfigMap, source: string): string | undefined {
  const { labels, annotations } = configMap.metadata
  // Also of a stamp that is broken elsewhere: a stranger may change two marks.
  const named = [labels?.[SOURCE_LABEL], annotations?.[`${OURS}source`]]
  return named.includes(source) ? undefined : named.find((one) => one !== undefined)
}

/** The source that stamped a ConfigMap, as `withStamp` has just done. */
export function ownerOfStamp(stamped: ConfigMap): string {
  return readStamp(stamped)?.source ?? ""
}

/** True when it carries every label and annotation that we write, and both name `source`. */
export function isMarked(configMap: ConfigMap, source: string): boolean {
  const labels = configMap.metadata.labels ?? {}
  const prows = Object.entries(PROW_LABELS).every(([name, value]) => labels[name] === value)
  return prows && labels[SOURCE_LABEL] === source && readStamp(configMap)?.source === source
}

/** True when it carries a part of a stamp, which no version of Headrace leaves: a stranger changed the rest. */
export function isStampBroken(configMap: ConfigMap): boolean {
  const annotations = configMap.metadata.annotations ?? {}
  const parts = ["format", "epoch", "seq", "commit", "source"].map((part) => annotations[`${OURS}${part}`])
  return parts.some((part) => part !== undefined) && readStamp(configMap) === undefined
}

/**
 * True when its stamp says that a newer Headrace wrote it. Whether that is so, the record knows (docs/decisions/057). What no
 * version writes (`1.5`, `x`, nothing) is not newer but broken.
 */
export function isNewerFormat(configMap: ConfigMap): boolean {
  const format = configMap.metadata.annotations?.[`${OURS}format`]
  return format !== undefined && DECIMAL.test(format) && Number(format) > FORMAT
}

/**
 * The stamp exactly as `withStamp` writes it. Undefined when Headrace has not written it, or a part of it is not as
 * Headrace writes it: another format, a count that is no decimal number, a commit that is no full id. Then all of it has
 * no say.
 */
export function readStamp(configMap: ConfigMap): Stamp | undefined {
  const annotations = configMap.metadata.annotations ?? {}
  const epoch = countOf(annotations[`${OURS}epoch`])
  const seq = countOf(annotations[`${OURS}seq`])
  const commit = annotations[`${OURS}commit`]
  const source = annotations[`${OURS}source`]
  const rulesCommit = annotations[`${OURS}rules-commit`]
  if (annotations[`${OURS}format`] !== String(FORMAT)) return undefined
  if (epoch === undefined || seq === undefined || !source) return undefined
  if (commit === undefined || !FULL_ID.test(commit)) return undefined
  if (rulesCommit !== undefined && !FULL_ID.test(rulesCommit)) return undefined
  return { source, token: { epoch, seq }, commit, rulesCommit, content: annotations[`${OURS}content`] }
}

/** Far beyond any clock and any history, and far enough from what a number holds for a token beyond it. */
const LARGEST_COUNT = 1e15
const DECIMAL = /^(0|[1-9][0-9]*)$/

function countOf(text: string | undefined): number | undefined {
  if (text === undefined || !DECIMAL.test(text)) return undefined
  const count = Number(text)
  return count <= LARGEST_COUNT ? count : undefined
}

/** The metadata with our labels and this stamp; everything else on it stays. */
export function withStamp(metadata: ObjectMeta, stamp: Stamp): ObjectMeta {
  const { [`${OURS}rules-commit`]: _, ...annotations } = metadata.annotations ?? {}
  return {
    ...metadata,
    labels: { ...metadata.labels, ...PROW_LABELS, [SOURCE_LABEL]: stamp.source },
    annotations: {
      ...annotations,
      [`${OURS}format`]: String(FORMAT),
      [`${OURS}source`]: stamp.source,
      [`${OURS}epoch`]: String(stamp.token.epoch),
      [`${OURS}seq`]: String(stamp.token.seq),
      [`${OURS}commit`]: stamp.commit,
      ...(stamp.rulesCommit ? { [`${OURS}rules-commit`]: stamp.rulesCommit } : {}),
      ...(stamp.content === undefined ? {} : { [`${OURS}content`]: stamp.content }),
    },
  }
}

/**
 * A ConfigMap's metadata as a source's own, without another's stamp: the next reconcile writes it. The source's
 * own stamp stays, for it is what refuses a writer that wakes up late.
 */
export function withOwner(configMap: ConfigMap, source: string): ObjectMeta {
  const { metadata } = configMap
  const bare = readStamp(configMap)?.source === source ? metadata : withoutStamp(metadata)
  return { ...bare, labels: { ...bare.labels, ...PROW_LABELS, [SOURCE_LABEL]: source } }
}

/** The metadata without anything of ours; Prow's labels stay, so that Prow takes the ConfigMap over again. */
export function withoutStamp(metadata: ObjectMeta): ObjectMeta {
  return {
    ...metadata,
    labels: withoutOurs(metadata.labels),
    annotations: withoutOurs(metadata.annotations),
  }
}

function withoutOurs(entries: { [name: string]: string } | undefined): { [name: string]: string } {
  return Object.fromEntries(Object.entries(entries ?? {}).filter(([name]) => !name.startsWith(OURS)))
}
