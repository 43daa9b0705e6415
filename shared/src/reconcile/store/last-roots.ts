import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { ObjectMeta } from "../../foundation/config-map.ts"
import { retryTransient, transientRetry } from "../../kube/retry-transient.ts"
import type { Token } from "../../record/record.ts"
import { compareTokens } from "../../record/token.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { STORE_SELECTOR } from "./read-store.ts"

const SOURCE = "headrace.dev/root-of"
const TOKEN = "headrace.dev/root-token"

/** The marks of what a record names: whose it was, and the largest token at which it was written to be named. */
export function rootMarks(source: string, token: Token): { [name: string]: string } {
  return { [SOURCE]: source, [TOKEN]: `${token.epoch}.${token.seq}` }
}

/** The same marks, and whether an object has them, as the writer of the store takes them. */
export function marksOfRoot(source: string, token: Token) {
  return {
    annotations: rootMarks(source, token),
    areOn: (annotations: ObjectMeta["annotations"]) => isMarkedRoot(annotations, source, token),
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

/** True when these annotations call the object a root of this source at this token or a larger one. */
function isMarkedRoot(annotations: ObjectMeta["annotations"], source: string, token: Token): boolean {
  const marked = annotations?.[SOURCE] === source ? tokenOf(annotations) : undefined
  return marked !== undefined && compareTokens(marked, token) >= 0
}

/**
 * Digests of a source's root indexes and lists of failures that are in the store, the latest first: what was in force,
 * where the record that named it was lost. Roots without our marks (of an earlier version) are not among them. Throws `kube/…`.
 */
export async function listRoots(
  ports: ReconcilePorts,
  source: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { kube, settings, clock } = ports
  const items = await retryTransient(transientRetry(clock), signal, () =>
    kube.listMetadata(settings.namespace, { labelSelector: STORE_SELECTOR }, signal),
  )
  const roots = items.flatMap(({ annotations = {} }) => {
    const token = annotations[SOURCE] === source ? tokenOf(annotations) : undefined
    const digest = annotations[DIGEST_ANNOTATION]
    return token && digest ? [{ digest, token }] : []
  })
  return roots.sort((a, b) => compareTokens(b.token, a.token)).map(({ digest }) => digest)
}

function tokenOf(annotations: { [name: string]: string }): Token | undefined {
  const [, epoch, seq] = /^(\d{1,15})\.(\d{1,15})$/.exec(annotations[TOKEN] ?? "") ?? []
  return epoch === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) }
}
