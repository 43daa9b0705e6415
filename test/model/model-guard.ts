import type { ExpectedTarget } from "./model-rules.ts"
import { GUARD } from "./model-settings.ts"

/** What targets hold: `namespace/name` to key to content. */
export type HeldTargets = ReadonlyMap<string, ReadonlyMap<string, string>>

/** How much going from what is held to what is expected takes away. */
interface Loss {
  keys: number
  configMaps: number
  deletedKeys: number
  /** ConfigMaps that lose all they hold, and of these the ones that lose several keys. */
  lost: number
  lostOfSeveral: number
}

/** What a change deleted that came into force. */
export interface PastLoss extends Pick<Loss, "deletedKeys" | "lost"> {
  /** Milliseconds since 1970. */
  at: number
}

const SEVERAL = 3

export function lossOf(held: HeldTargets, expected: ReadonlyMap<string, ExpectedTarget>): Loss {
  const loss: Loss = { keys: 0, configMaps: 0, deletedKeys: 0, lost: 0, lostOfSeveral: 0 }
  for (const [place, keys] of held) {
    if (keys.size === 0) continue
    loss.keys += keys.size
    loss.configMaps += 1
    const next = expected.get(place)
    if (next?.refused) continue
    const { deleted, isAll } = lossOfTarget(keys, next?.keys ?? new Map())
    loss.deletedKeys += deleted
    if (isAll) loss.lost += 1
    if (isAll && deleted >= SEVERAL) loss.lostOfSeveral += 1
  }
  return loss
}

/** The guard's rule (docs/decisions/011, 045), from the model's own idea of what targets hold. */
export function tripsGuard(loss: Loss, past: readonly PastLoss[]): boolean {
  if (loss.deletedKeys === 0) return false
  const earlierKeys = sum(past.map(({ deletedKeys }) => deletedKeys))
  const deleted = loss.deletedKeys + earlierKeys
  if (deleted > GUARD.atLeast && deleted > (loss.keys + earlierKeys) * GUARD.deletedKeys) return true
  const lost = deleted > GUARD.atLeast ? loss.lost : loss.lostOfSeveral
  const earlier = sum(past.map((one) => one.lost))
  return lost > 0 && lost + earlier > (loss.configMaps + earlier) * GUARD.deletedConfigMaps
}

/** A key counts as deleted whose content no new key of the target takes over, and one that has nothing in it any more. */
function lossOfTarget(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const fresh = [...after].filter(([key]) => !before.has(key)).map(([, content]) => content)
  const kept: string[] = []
  for (const [key, content] of before) {
    const next = after.get(key)
    const renamed = next === undefined ? fresh.indexOf(content) : -1
    if (renamed >= 0) fresh.splice(renamed, 1)
    if (renamed >= 0 || (next !== undefined && (isFilled(next) || !isFilled(content)))) kept.push(content)
  }
  const filled = [...before.values()].filter(isFilled).length
  const isAll = filled > 0 ? !kept.some(isFilled) : kept.length === 0
  const fills = [...after.values()].filter(isFilled).length
  const deleted = before.size - kept.length
  return { deleted, isAll: isAll && fills * 2 < deleted }
}

function isFilled(content: string): boolean {
  return content.trim() !== ""
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0)
}
