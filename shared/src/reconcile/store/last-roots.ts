import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { ObjectMeta } from "../../foundation/config-map.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import { largestToken } from "../../record/intents.ts"
import type { SourceRecord, Token } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { Run } from "../run/run.ts"
import { type BeliefClock, largestBelieved } from "../target/known-token.ts"
import { STORE_SELECTOR } from "./read-store.ts"

const SOURCE = "headrace.dev/root-of"
const TOKEN = "headrace.dev/root-token"

/** The marks of what a record names: whose it was, and the largest token at which it was written to be named. */
export function rootMarks(source: string, token: Token): { [name: string]: string } {
  return { [SOURCE]: source, [TOKEN]: `${token.epoch}.${token.seq}` }
}

/** The same marks, and whether an object has them, as the writer of the store takes them. `most`: as of mostEpoch. */
export function marksOfRoot(source: string, token: Token, most: number) {
  return {
    annotations: rootMarks(source, token),
    areOn: (annotations: ObjectMeta["annotations"]) => isMarkedRoot(annotations, source, token, most),
  }
}

/** The metadata without the marks of a root: nothing is found by them any more. */
export function withoutRootMarks(metadata: ObjectMeta): ObjectMeta {
  const { [SOURCE]: _s, [TOKEN]: _t, ...annotations } = metadata.annotations ?? {}
  return { ...metadata, annotations }
}

/** The source whose root an object is by its marks; undefined: it is marked as none. */
export function rootOf(annotations: ObjectMeta["annotations"]): string | undefined {
  return annotations?.[SOURCE]
}

/** The token of a root's marks; undefined where they are not as we write them. */
export function tokenOfRoot(annotations: ObjectMeta["annotations"]): Token | undefined {
  return annotations && tokenOf(annotations)
}

/**
 * The largest epoch that a root can be of which is in force: the record's, or that of an earlier one which was put back. Where the
 * record shows nothing, one that was begun by a right clock before the record was made. Milliseconds since 1970.
 */
export function mostEpoch(
  { ports, beyond }: Pick<Run, "beyond"> & { ports: BeliefClock },
  record: SourceRecord,
): number {
  const { recordMadeAt = ports.clock.now() } = ports
  const before = largestBelieved({ clock: { now: () => recordMadeAt } })
  const own = record.commit === null ? 0 : largestToken(record).epoch
  return Math.max(before, own, beyond?.epoch ?? 0)
}

/**
 * True when these annotations call the object a root of this source at this token or a larger one. A mark beyond `most` is of a
 * record that is lost: it does not outlast that record.
 */
function isMarkedRoot(
  annotations: ObjectMeta["annotations"],
  source: string,
  token: Token,
  most: number,
): boolean {
  const marked = annotations?.[SOURCE] === source ? tokenOf(annotations) : undefined
  if (marked === undefined || (marked.epoch > most && token.epoch <= most)) return false
  return compareTokens(marked, token) >= 0
}

/**
 * Digests of a source's root indexes and lists of failures that are in the store, the latest first: what was in force,
 * where the record that named it was lost. Throws `kube/…`.
 */
export async function listRoots(run: Run, record: SourceRecord): Promise<string[]> {
  const { ports, request, signal } = run
  const roots = await markedRoots(ports, request.source, signal)
  return latestFirst(roots, mostEpoch(run, record)).flatMap(
    ({ annotations }) => annotations?.[DIGEST_ANNOTATION] ?? [],
  )
}

/** What is marked as a root of this source. Roots without our marks (of an earlier version) are not. Throws `kube/…`. */
export async function markedRoots(
  { kube, settings, clock }: ReconcilePorts,
  source: string,
  signal: AbortSignal,
): Promise<ObjectMeta[]> {
  const items = await retryTransient(transientRetry(clock), signal, () =>
    kube.listMetadata(settings.namespace, { labelSelector: STORE_SELECTOR }, signal),
  )
  return items.filter(({ annotations }) => rootOf(annotations) === source && tokenOfRoot(annotations))
}

/**
 * Those of these roots whose marks are as we write them, the latest first. An epoch beyond `most` was begun by a clock that was
 * ahead, in a record that is lost: what was made in it counts as of when the API server made the first of it. Pure.
 */
export function latestFirst(roots: readonly ObjectMeta[], most: number): ObjectMeta[] {
  const marked = roots.flatMap((root) => {
    const token = tokenOfRoot(root.annotations)
    return token ? [{ root, token, made: madeBy(root) }] : []
  })
  const begun = Math.min(...marked.filter(({ token }) => token.epoch > most).map(({ made }) => made))
  const epochOf = ({ epoch }: Token): number => (epoch > most ? begun : epoch)
  return marked
    .sort((a, b) => epochOf(b.token) - epochOf(a.token) || compareTokens(b.token, a.token))
    .map(({ root }) => root)
}

/** The end of the second in which the API server made an object, in milliseconds since 1970; 0: not known. */
function madeBy({ creationTimestamp = "" }: ObjectMeta): number {
  const second = Date.parse(creationTimestamp)
  return Number.isNaN(second) ? 0 : second + 999
}

function tokenOf(annotations: { [name: string]: string }): Token | undefined {
  const [, epoch, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(annotations[TOKEN] ?? "") ?? []
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) }
}
