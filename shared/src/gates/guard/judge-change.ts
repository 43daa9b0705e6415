import { HeadraceError } from "../../foundation/errors.ts"
import { namedText } from "../../foundation/named-text.ts"
import type { ChangeSize } from "./measure-change.ts"

/** What may be deleted without approval. */
export interface GuardLimits {
  /** Share of all keys, 0 to 1. */
  deletedKeys: number
  /** Share of all ConfigMaps that may lose all they hold, 0 to 1. */
  deletedConfigMaps: number
  /** Up to so many keys are deleted without a look at their share. */
  atLeast: number
  /** Milliseconds for which deletions count together; absent: 6 hours; 0: each change counts alone. */
  window?: number
}

/** What a change that was let through has deleted. */
export interface PastDeletions {
  /** Milliseconds since 1970 when it came into force. */
  at: number
  keys: number
  /** ConfigMaps that lost all they held, as the guard counted them. */
  configMaps: number
}

const WINDOW_MS = 6 * 3_600_000

/** How long deletions count together, in milliseconds. */
export function windowOf(limits: GuardLimits): number {
  return limits.window ?? WINDOW_MS
}

/** Those of the past deletions that still count at `now`. One from after `now`, by a clock that was ahead, counts. */
export function withinWindow<Past extends PastDeletions>(
  past: readonly Past[],
  limits: GuardLimits,
  now: number,
): Past[] {
  return past.filter(({ at }) => at + windowOf(limits) > now)
}

/**
 * What is wrong with a change: `guard/deleted-keys` or `guard/deleted-config-maps`, when it takes away more than the
 * limits let pass, alone or together with what was deleted within the window before `now`. Undefined: nothing. A change
 * that deletes nothing is never at fault for what others deleted. Pure.
 *
 * The floor (`atLeast`) is for keys: it does not hide that ConfigMaps of several keys lose all they hold.
 */
export function judgeChange(
  size: ChangeSize,
  limits: GuardLimits,
  past: readonly PastDeletions[],
  now: number,
): HeadraceError | undefined {
  if (size.deletedKeys === 0) return undefined
  const within = withinWindow(past, limits, now)
  const before = sum(within)
  const deleted = size.deletedKeys + before.keys
  const keys = size.keys + before.keys
  if (deleted > limits.atLeast && deleted > keys * limits.deletedKeys) {
    return tripped(
      "keys",
      { deleted: size.deletedKeys, of: size.keys, earlier: before.keys },
      size,
      limits.deletedKeys,
    )
  }
  const lostNow = lostConfigMaps(size, limits, within)
  const lost = lostNow + before.configMaps
  const configMaps = size.configMaps + before.configMaps
  if (lostNow > 0 && lost > configMaps * limits.deletedConfigMaps) {
    const counts = { deleted: lostNow, of: size.configMaps, earlier: before.configMaps }
    return tripped("ConfigMaps", counts, size, limits.deletedConfigMaps)
  }
  return undefined
}

/** How many ConfigMaps lose all they hold: beyond the floor each of them, up to it those that lose several keys. Pure. */
export function lostConfigMaps(
  size: ChangeSize,
  { atLeast }: Pick<GuardLimits, "atLeast">,
  past: readonly PastDeletions[],
): number {
  return size.deletedKeys + sum(past).keys > atLeast ? size.lostConfigMaps : size.lostOfSeveral
}

function sum(past: readonly PastDeletions[]): { keys: number; configMaps: number } {
  return {
    keys: past.reduce((keys, one) => keys + one.keys, 0),
    configMaps: past.reduce((configMaps, one) => configMaps + one.configMaps, 0),
  }
}

function tripped(
  what: "keys" | "ConfigMaps",
  { deleted, of, earlier }: { deleted: number; of: number; earlier: number },
  size: ChangeSize,
  share: number,
): HeadraceError {
  const code = what === "keys" ? "guard/deleted-keys" : "guard/deleted-config-maps"
  const together =
    earlier > 0
      ? `, and with the ${earlier} deleted shortly before ${deleted + earlier} of ${of + earlier}`
      : ""
  const detail = [
    what === "keys" && size.emptiedKeys > 0 ? `${size.emptiedKeys} of them stay with nothing in them` : "",
    size.renamed.length > 0 ? `${size.renamed.length} more are renamed and keep their content` : "",
    size.lost.length > 0 ? `all of ${namedText(size.lost, size.lost.length, size.lostConfigMaps)} goes` : "",
  ].filter((text) => text !== "")
  return new HeadraceError(
    code,
    `this change would delete ${deleted} of ${of} ${what}${together}, more than the guard's ${Math.round(share * 100)}%` +
      (detail.length > 0 ? ` (${detail.join("; ")})` : ""),
    {
      hint: "Run approve --commit SHA if it is meant.",
      fields: { deleted, of, earlier, share, emptied: size.emptiedKeys, renamed: size.renamed.length },
    },
  )
}
