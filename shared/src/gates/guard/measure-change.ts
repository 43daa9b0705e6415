/** One key of a target, as it is or will be. */
export interface GuardedKey {
  key: string
  /** Names the content: equal names, equal bytes. Undefined: it is not known, and equals no other. */
  content: string | undefined
  /** True when the content is nothing: no bytes, or a line's end alone. */
  empty: boolean
}

/** Of a target that was compared with what it is to hold: the keys that differ, and how many are the same. */
export interface ComparedKeys {
  before: readonly GuardedKey[]
  after: readonly GuardedKey[]
  same: number
  /** True when one of the same has anything in it. */
  staysFilled: boolean
}

/** What a target holds: its keys, or so many of them where no key stays. */
export type GuardedTarget = readonly GuardedKey[] | ComparedKeys | number

/** By `namespace/name`. */
export type GuardedTargets = ReadonlyMap<string, GuardedTarget>

/** What each target is to hold, by `namespace/name`. */
interface KeysAfter {
  get(target: string): readonly GuardedKey[] | undefined
}

/** A key that goes while its content stays in the target under another. */
export interface RenamedKey {
  /** `namespace/name`. */
  target: string
  from: string
  to: string
}

/** How much a change takes away. */
export interface ChangeSize {
  /** Keys that are held before it, and targets that hold any. */
  keys: number
  configMaps: number
  /** Keys that go and whose content does not stay in the target, and keys whose content becomes nothing. */
  deletedKeys: number
  /** Of the deleted ones: keys that stay, with nothing in them. */
  emptiedKeys: number
  renamed: readonly RenamedKey[]
  /** Targets that lose all they hold, and of these the ones that lose several keys. */
  lostConfigMaps: number
  lostOfSeveral: number
  /** Some targets that lose all they hold, for messages. */
  lost: readonly string[]
}

/** Losing one or two keys is no sign of an accident: many ConfigMaps hold no more. */
const SEVERAL_KEYS = 3
const NAMED_TARGETS = 3

/**
 * Measures what going from `before` to `after` takes away. Targets in `kept` stay as they are, whatever `after` says of
 * them; a target that `after` does not have loses everything. Pure.
 */
export function measureChange(
  before: GuardedTargets,
  after: KeysAfter,
  kept: ReadonlySet<string>,
): ChangeSize {
  let [keys, configMaps, deletedKeys, emptiedKeys, lostConfigMaps, lostOfSeveral] = [0, 0, 0, 0, 0, 0]
  const renamed: RenamedKey[] = []
  const lost: string[] = []
  for (const [target, held] of before) {
    const count = countOf(held)
    if (count === 0) continue
    keys += count
    configMaps += 1
    if (kept.has(target)) continue
    const loss = measureTarget(target, held, after)
    deletedKeys += loss.deleted
    emptiedKeys += loss.emptied
    renamed.push(...loss.renamed)
    if (!loss.everything) continue
    lostConfigMaps += 1
    if (loss.deleted >= SEVERAL_KEYS) lostOfSeveral += 1
    if (lost.length < NAMED_TARGETS) lost.push(target)
  }
  return { keys, configMaps, deletedKeys, emptiedKeys, renamed, lostConfigMaps, lostOfSeveral, lost }
}

interface TargetLoss {
  deleted: number
  emptied: number
  renamed: RenamedKey[]
  /** True when nothing of it stays but blanks, and less than half as many keys take its place. */
  everything: boolean
}

const NO_LOSS: TargetLoss = { deleted: 0, emptied: 0, renamed: [], everything: false }

/** `after` is asked only for what was not compared: a target's keys are many, and few targets change. */
function measureTarget(target: string, before: GuardedTarget, after: KeysAfter): TargetLoss {
  if (typeof before === "number") return { ...NO_LOSS, deleted: before, everything: true }
  if (!("same" in before)) return measureKeys(target, before, after.get(target) ?? [])
  const loss = measureKeys(target, before.before, before.after)
  const stays = before.same > 0 && (before.staysFilled || !before.before.some(isFilled))
  return stays ? { ...loss, everything: false } : loss
}

function measureKeys(
  target: string,
  before: readonly GuardedKey[],
  after: readonly GuardedKey[],
): TargetLoss {
  // Both are in key order most of the time: then nothing needs to be looked up.
  if (before.length === after.length && before.every((one, index) => isSame(one, after[index])))
    return NO_LOSS
  const next = new Map(after.map((one) => [one.key, one]))
  const gone = before.filter(({ key }) => !next.has(key))
  const emptied = before.filter((one) => isFilled(one) && next.get(one.key)?.empty === true).length
  const renamed = pairRenamed(target, gone, before, after)
  const deleted = gone.length - renamed.length + emptied
  const stays = staysFilled(before, next, renamed)
  const fills = after.filter(isFilled).length
  return { deleted, emptied, renamed, everything: !stays && fills * 2 < deleted }
}

/** Blanks that stay are nothing that a target keeps; where it holds no more than blanks, they are what it loses. */
function staysFilled(
  before: readonly GuardedKey[],
  next: ReadonlyMap<string, GuardedKey>,
  renamed: readonly RenamedKey[],
): boolean {
  const moved = new Set(renamed.map(({ from }) => from))
  const filled = before.filter(isFilled)
  const held = filled.length > 0 ? filled : before
  return held.some((one) => moved.has(one.key) || isKept(one, next.get(one.key)))
}

function isKept(before: GuardedKey, after: GuardedKey | undefined): boolean {
  return after !== undefined && (before.empty || isFilled(after))
}

function isFilled({ empty }: GuardedKey): boolean {
  return !empty
}

function isSame(a: GuardedKey, b: GuardedKey | undefined): boolean {
  return b !== undefined && a.key === b.key && a.empty === b.empty
}

/** Pairs each key that goes with a new one of the same content; a new one pairs once. */
function pairRenamed(
  target: string,
  gone: readonly GuardedKey[],
  before: readonly GuardedKey[],
  after: readonly GuardedKey[],
): RenamedKey[] {
  if (gone.length === 0) return []
  const known = new Set(before.map(({ key }) => key))
  const free = Map.groupBy(
    after.filter(({ key, content }) => !known.has(key) && content !== undefined),
    ({ content }) => content,
  )
  return gone.flatMap(({ key, content }) => {
    const to = content === undefined ? undefined : free.get(content)?.shift()
    return to === undefined ? [] : { target, from: key, to: to.key }
  })
}

/** How many keys a target holds. */
export function countOf(held: GuardedTarget): number {
  if (typeof held === "number") return held
  return "same" in held ? held.same + held.before.length : held.length
}
