import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { SigningKey } from "@headrace/shared/trust/key-file"
import { SIGNATURE_KEY, signRecord } from "@headrace/shared/trust/record-signature"
import { NAMESPACE, revisionObjects, SOURCE, type TestRevision } from "../harness/write-revision.ts"

/** A number in [0, below) from a seed's sequence. */
export type Pick = (below: number) => number

/** A seeded sequence: mulberry32. */
export function seeded(seed: number): Pick {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** What writers have written at one time: the record, signed, and the store that it names. */
export interface Written {
  seq: number
  /** Milliseconds since the epoch. */
  signedAt: number
  record: ConfigMap
  store: Map<string, ConfigMap>
  /** What a node shows of it, by path. */
  files: Record<string, string>
}

export interface Keys {
  own: SigningKey
  expired: SigningKey
  stranger: SigningKey
}

export const MINUTE = 60_000
/** When the first revision was signed. */
export const START = Date.UTC(2026, 0, 1)

/** Which of the revisions with one `seq`. `variant` 1: before a target that had failed was written. */
interface Which {
  cluster: string
  namespace: string
  source: string
  variant: number
}

/** What was written under each key. A forger splices the same few revisions over and over, and never changes one. */
const known = new WeakMap<SigningKey, Map<string, Written>>()

/** Revision `seq`, by its rightful writer. */
export function written(key: SigningKey, seq: number, which: Partial<Which> = {}): Written {
  const { cluster = "east", namespace = NAMESPACE, source = SOURCE, variant = 0 } = which
  const ofKey = known.get(key) ?? new Map<string, Written>()
  known.set(key, ofKey)
  const name = `${seq} ${cluster} ${namespace} ${source} ${variant}`
  const made = ofKey.get(name) ?? write(key, seq, { cluster, namespace, source, variant })
  ofKey.set(name, made)
  return made
}

function write(key: SigningKey, seq: number, { cluster, namespace, source, variant }: Which): Written {
  const files = {
    "one.txt": `one ${cluster} ${source} ${seq}`,
    "two.txt": variant === 1 ? "last good" : `two ${seq}`,
  }
  const targets: TestRevision["targets"] = {
    "ci/alpha": { "a/one.txt": files["one.txt"], "a/two.txt": files["two.txt"] },
    "ci/beta": { "b/other.txt": `beta ${seq}` },
  }
  const { store, record } = revisionObjects({ seq, epoch: 1, targets, record: { source } })
  const metadata = {
    ...record.metadata,
    namespace,
    name: source,
    uid: `${cluster}-${source}`,
    creationTimestamp: new Date(START).toISOString(),
    resourceVersion: String(seq),
  }
  const signedAt = START + (2 * seq - variant) * MINUTE
  return {
    seq,
    signedAt,
    record: signRecord({ ...record, metadata }, { cluster, key, signedAt }),
    store: new Map(store.map((object) => [object.metadata.name, object])),
    files,
  }
}

/** The same by a writer that does not sign. */
export function unsigned(revision: Written): Written {
  return { ...revision, record: withData(revision.record, SIGNATURE_KEY, undefined) }
}

export interface Forgery {
  kind: string
  record: ConfigMap
  store: Map<string, ConfigMap>
}

/** What somebody makes who may write records, indexes and shards, and has no key. `next` is not shown anywhere yet. */
export function forge(pick: Pick, keys: Keys, next: Written): Forgery {
  const kinds = Object.keys(FORGERIES) as (keyof typeof FORGERIES)[]
  const kind = kinds[pick(kinds.length)] ?? "flip"
  const forged = FORGERIES[kind](pick, keys, next)
  return { kind, record: next.record, store: next.store, ...forged }
}

type Forge = (pick: Pick, keys: Keys, next: Written) => Partial<Omit<Forgery, "kind">>

/** Any revision before what is shown: nodes show the one before `next`. */
function earlier(pick: Pick, { own }: Keys, { seq }: Written): Written {
  return written(own, 1 + pick(seq - 2))
}

const FORGERIES = {
  flip: (pick, _, { record }) => ({ record: withData(record, "record.json", flipped(pick, dataOf(record))) }),
  flipSignature: (pick, _, { record }) => ({
    record: withData(record, SIGNATURE_KEY, flipped(pick, dataOf(record, SIGNATURE_KEY))),
  }),
  truncate: (pick, _, { record }) => {
    const key = pick(2) === 0 ? "record.json" : SIGNATURE_KEY
    const text = dataOf(record, key)
    return { record: withData(record, key, text.slice(0, pick(text.length))) }
  },
  strip: (_pick, _, next) => ({ record: unsigned(next).record }),
  note: (_pick, _, { record }) => ({
    record: {
      ...record,
      metadata: { ...record.metadata, annotations: { "headrace.dev/verified": '{"state":"verified"}' } },
    },
  }),
  spliceSource: (pick, { own }, next) => {
    const other = written(own, next.seq + pick(3), { source: "other" })
    const record = { ...other.record, metadata: next.record.metadata }
    return { record, store: both(next.store, other.store) }
  },
  spliceCluster: (pick, { own }, next) => {
    const other = written(own, next.seq + pick(3), { cluster: "west" })
    return {
      record: { ...other.record, metadata: next.record.metadata },
      store: both(next.store, other.store),
    }
  },
  spliceNamespace: (pick, { own }, next) => {
    const other = written(own, next.seq + pick(3), { namespace: "another" })
    return { record: { ...other.record, metadata: next.record.metadata }, store: other.store }
  },
  // A signature by the right key, of another record of the same place.
  spliceSignature: (pick, keys, next) => ({
    record: withData(next.record, SIGNATURE_KEY, dataOf(earlier(pick, keys, next).record, SIGNATURE_KEY)),
  }),
  // What the signature names beside the record is signed as well.
  restate: (pick, { own, expired }, next) => {
    const { record } = pick(2) === 0 ? next : written(own, next.seq, { cluster: "west" })
    const other = [
      { signedAt: new Date(START + pick(1e6) * MINUTE + 1).toISOString() },
      { cluster: "east", key: expired.id },
      { cluster: "east", namespace: "another" },
    ][pick(3)]
    const said = { ...JSON.parse(dataOf(record, SIGNATURE_KEY)), ...other }
    return {
      record: { ...withData(record, SIGNATURE_KEY, canonicalJson(said)), metadata: next.record.metadata },
    }
  },
  spliceRoot: (pick, keys, next) => {
    const old = earlier(pick, keys, next)
    const [mine, theirs] = [rootOf(next.record), rootOf(old.record)]
    const text = dataOf(next.record).replace(mine, theirs)
    return { record: withData(next.record, "record.json", text), store: both(next.store, old.store) }
  },
  replay: (pick, keys, next) => earlier(pick, keys, next),
  replayRecreated: (pick, keys, next) => {
    const old = earlier(pick, keys, next)
    const creationTimestamp = new Date(START + 1000 * MINUTE + pick(1e6)).toISOString()
    const metadata = { ...old.record.metadata, uid: `again-${pick(1e9)}`, creationTimestamp }
    return { record: { ...old.record, metadata }, store: old.store }
  },
  // Of what is shown now, before a target that had failed was written.
  replaySameToken: (_pick, { own }, { seq }) => written(own, seq - 1, { variant: 1 }),
  strangersKey: (pick, { stranger }, { seq }) => written(stranger, seq + pick(3)),
  expiredKey: (pick, { expired }, { seq }) => written(expired, seq + pick(3)),
  flipStore: (pick, _, { store }) => {
    const [name, object] = [...store][pick(store.size)] ?? []
    if (name === undefined || object === undefined) return {}
    const [key = "", data = ""] = Object.entries(object.binaryData ?? {})[0] ?? []
    const bytes = Buffer.from(data, "base64")
    const at = pick(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8))
    return {
      store: both(store, new Map([[name, { ...object, binaryData: { [key]: bytes.toString("base64") } }]])),
    }
  },
  truncateStore: (pick, _, { store }) => {
    const [name, object] = [...store][pick(store.size)] ?? []
    if (name === undefined || object === undefined) return {}
    const [key = "", data = ""] = Object.entries(object.binaryData ?? {})[0] ?? []
    const bytes = Buffer.from(data, "base64")
    const cut = bytes.subarray(0, pick(bytes.length)).toString("base64")
    return { store: both(store, new Map([[name, { ...object, binaryData: { [key]: cut } }]])) }
  },
  spliceStore: (pick, keys, next) => {
    // Another revision's object under this one's name: its annotations and content, as they were written.
    const old = earlier(pick, keys, next)
    const [name, object] = [...next.store][pick(next.store.size)] ?? []
    const [, other] = [...old.store][pick(old.store.size)] ?? []
    if (name === undefined || object === undefined || other === undefined) return {}
    return { store: both(next.store, new Map([[name, { ...other, metadata: object.metadata }]])) }
  },
  // Another object of the same revision: of another target, or an index in the place of a shard.
  spliceTarget: (pick, _, { store }) => {
    const [name, object] = [...store][pick(store.size)] ?? []
    const [otherName, other] = [...store][pick(store.size)] ?? []
    if (name === undefined || object === undefined || other === undefined || otherName === name) return {}
    return { store: both(store, new Map([[name, { ...other, metadata: object.metadata }]])) }
  },
} satisfies Record<string, Forge>

/** The kinds that there are. */
export const KINDS = Object.keys(FORGERIES)

function dataOf({ data }: ConfigMap, key = "record.json"): string {
  return data?.[key] ?? ""
}

function withData(record: ConfigMap, key: string, text: string | undefined): ConfigMap {
  const { [key]: _, ...rest } = record.data ?? {}
  return { ...record, data: text === undefined ? rest : { ...rest, [key]: text } }
}

/** One character is another one: of those that are there, so that much of it still parses. */
function flipped(pick: Pick, text: string): string {
  const at = pick(text.length)
  const was = text[at] ?? ""
  const digit = /[0-9a-f]/.test(was) ? "0123456789abcdef"[pick(16)] : text[pick(text.length)]
  return `${text.slice(0, at)}${digit === was ? "~" : digit}${text.slice(at + 1)}`
}

function rootOf(record: ConfigMap): string {
  return JSON.parse(dataOf(record)).root
}

function both(one: Map<string, ConfigMap>, other: Map<string, ConfigMap>): Map<string, ConfigMap> {
  return new Map([...one, ...other])
}

export { NAMESPACE, SOURCE }
