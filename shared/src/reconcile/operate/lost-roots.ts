import { DIGEST_ANNOTATION } from "../../bundle/store-config-map.ts"
import type { ObjectMeta } from "../../foundation/config-map.ts"
import { hasCode } from "../../foundation/errors.ts"
import type { SourceRecord } from "../../record/record.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import { compareTokens } from "../../record/token.ts"
import { type FetchIndex, listReachable } from "../../record/walk-index.ts"
import { latestFirst, rootOf, tokenOfRoot } from "../store/last-roots.ts"

const KIND_LABEL = "app.kubernetes.io/component"
const NOTHING: StoreIndex = { format: 1, kind: "files", shards: [] }

export interface StoreListing {
  /** All objects of the store. */
  items: readonly ObjectMeta[]
  records: readonly SourceRecord[]
  /** The largest epoch that is believed of a lost record (known-token.ts). */
  most: number
  fetch: FetchIndex
}

/**
 * Digests of what has to stay though no record names it: all that can be read below the roots of sources of which no
 * record shows a commit, for they alone say what was in force. Of the source that needs room, at a quota, the latest roots
 * are enough where they are whole; but what can be a root of a version that set no marks stays as well. Throws `kube/…`.
 */
export async function listLost(
  { items, records, most, fetch }: StoreListing,
  roomFor?: string,
): Promise<Set<string>> {
  const shown = new Set(records.filter(({ commit }) => commit !== null).map(({ source }) => source))
  const roots = items.filter(({ annotations }) => {
    const source = rootOf(annotations)
    return source !== undefined && !shown.has(source)
  })
  if (roomFor === undefined || shown.has(roomFor)) return below(roots, fetch)
  const own = roots.filter(({ annotations }) => rootOf(annotations) === roomFor)
  const others = roots.filter((root) => !own.includes(root))
  const latest = await below(latestOf(own, most), fetch)
  const isWhole = [...latest].every((digest) => items.some((item) => digestOf(item) === digest))
  const marked = await below(
    items.filter(({ annotations }) => rootOf(annotations) !== undefined),
    fetch,
  )
  const unmarked = items.filter(
    (item) => item.labels?.[KIND_LABEL] === "index" && !marked.has(digestOf(item)),
  )
  return below([...others, ...(isWhole ? latestOf(own, most) : own), ...unmarked], fetch)
}

function latestOf(roots: readonly ObjectMeta[], most: number): ObjectMeta[] {
  const [latest] = latestFirst(roots, most)
  const largest = latest && tokenOfRoot(latest.annotations)
  if (largest === undefined) return [...roots]
  return roots.filter(({ annotations }) => {
    const token = tokenOfRoot(annotations)
    return token === undefined || compareTokens(token, largest) === 0
  })
}

/** Nothing is lost with these roots that is not lost already: what of them can be read stays. */
async function below(roots: readonly ObjectMeta[], fetch: FetchIndex): Promise<Set<string>> {
  const found = new Set<string>()
  for (const root of roots) {
    for (const digest of await listReachable(digestOf(root), asFarAsKnown)) found.add(digest)
  }
  return found

  async function asFarAsKnown(digest: string): Promise<StoreIndex> {
    try {
      return await fetch(digest)
    } catch (error) {
      if (hasCode(error, "store/") || hasCode(error, "bundle/")) return NOTHING
      throw error
    }
  }
}

function digestOf({ annotations }: ObjectMeta): string {
  return annotations?.[DIGEST_ANNOTATION] ?? ""
}
