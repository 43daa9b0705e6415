import fc from "fast-check"
import { FORGERIES } from "./forged-stamps.ts"
import { SETTINGS_VARIANTS } from "./model-settings.ts"
import { edits, happens, houseOps, type Op, rarely, type Schedule } from "./schedule.ts"

const cluster = fc.nat(1)
const program = fc.nat(2)
const target = fc.nat(3)
const places = ["forbidden", "full", "value", "key", "annotations", "labels", "well"] as const

/** By name, so that a search can be led to what it looks for. */
const WORLD_OPS = [
  happens(2, "restart", { program }),
  happens(2, "reload", { program }),
  happens(2, "settings", { program, variant: fc.nat(SETTINGS_VARIANTS.length - 1), clash: rarely }),
  happens(2, "clock", { program, hours: fc.constantFrom(0, 1, -1, 72, -72, 960) }),
  happens(3, "gitFault", { read: fc.nat(12) }),
  happens(4, "place", { cluster, namespace: fc.nat(1), what: fc.constantFrom(...places) }),
  happens(2, "terminate", { cluster, target }),
  happens(2, "mark", { cluster, target }),
  happens(3, "forge", { cluster, target, forgery: fc.nat(FORGERIES.length - 1) }),
  happens(3, "save", { cluster }),
  happens(2, "restore", { cluster }),
  happens(2, "watch", { cluster, tools: rarely, program }),
  happens(1, "loseKey", { cluster, tools: rarely, key: fc.constantFrom("wake-up", "queue") }),
  happens(5, "agent", { agent: fc.nat(1), past: rarely }),
  happens(1, "follow", { agent: fc.nat(1), cluster, tools: rarely }),
  happens(2, "prune", { cluster, tools: rarely, program }),
  happens(1, "skew", { commits: fc.integer({ min: 1, max: 8 }), minutes: fc.nat(90), edits }),
]

/** How much likelier an op is that a search is led to. */
const LED = 12

/**
 * Schedules in which the world outside has its part, of up to `maxLength` ops. `towards` names ops that are to be frequent
 * in them, so that a search finds what it looks for early.
 */
export function worldSchedules(towards: readonly string[] = [], maxLength = 50): fc.Arbitrary<Schedule> {
  const house = houseOps({ widened: true })
  const weighted = [...house, ...WORLD_OPS].map(({ name, weight, arbitrary }) => ({
    weight: towards.includes(name) ? weight * LED : weight,
    arbitrary,
  }))
  const ops = fc.array(fc.oneof(...weighted) as fc.Arbitrary<Op>, { minLength: 4, maxLength, size: "max" })
  return fc.tuple(fc.nat(3), ops).map(([choice, list]) => (choice === 0 ? list : [{ op: "round" }, ...list]))
}
