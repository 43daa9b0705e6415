import fc from "fast-check"
import type { Fault } from "./gates.ts"

/** A path of the model's files and what becomes of it; `content` -1: deleted, -2: a link to another path. */
export interface Edit {
  path: number
  content: number
}

/** A command of an operator, about either source. */
export type Command = {
  op: "hold" | "release" | "rewind" | "approve" | "adopt" | "detach"
  cluster: number
  tools: boolean
  back: number
}

/** One thing that happens. Numbers choose among what there is, modulo how many there are. */
export type Op =
  | { op: "commit"; edits: Edit[]; rules: number }
  /** A file goes from one rule's folder to another's. */
  | { op: "rename"; path: number; to: number }
  | { op: "revert"; back: number }
  | { op: "foxtrot"; back: number; edits: Edit[] }
  | { op: "rewrite"; back: number; commits: Edit[][] }
  | { op: "tool"; content: number; rules: number }
  | { op: "rewriteRules"; back: number; rules: number }
  /** A wake-up arrives, whichever; `again`: it will arrive once more. */
  | { op: "deliver"; which: number; again: boolean }
  | { op: "drop"; which: number }
  /** Redis is flushed: every wake-up on its way is lost. */
  | { op: "flush" }
  /** A poll or, with `full`, the hourly bootstrapper: a look that nobody asked for. */
  | { op: "start"; cluster: number; tools: boolean; full: boolean }
  | { op: "step"; worker: number; gate: number; count: number; fault: Fault }
  | { op: "finish"; worker: number }
  | { op: "kill"; worker: number }
  | Command
  | { op: "garbage"; cluster: number }
  /** Hours in which nothing happens but garbage collection, twice. */
  | { op: "night"; cluster: number }
  | { op: "hand"; cluster: number; target: number; what: "edit" | "stray" | "delete" | "disown" | "unmark" }
  | { op: "lose"; cluster: number; tools: boolean }
  | { op: "later"; minutes: number }
  /** All clusters look at all sources, one after the other, without faults. */
  | { op: "round" }

export type Schedule = readonly Op[]

const PATHS = 9
const CONTENTS = 4
const RULES = 6
const TOOL_RULES = 3

const small = fc.nat(7)
const cluster = fc.nat(1)
const seldom = fc.nat(5).map((choice) => choice === 0)
const edit = fc.record({ path: fc.nat(PATHS - 1), content: fc.integer({ min: -2, max: CONTENTS - 1 }) })
const edits = fc.array(edit, { minLength: 1, maxLength: 3 })
const back = fc.nat(3)
const fault = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>("none") },
  {
    weight: 12,
    arbitrary: fc.constantFrom<Fault>("conflict", "invalid", "busy", "broken", "unheard", "unanswered"),
  },
)
/** Most commits leave the rules alone. */
const rules = fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 2, arbitrary: fc.nat(RULES - 1) })

function happens<Name extends Op["op"], Members extends { [member: string]: fc.Arbitrary<unknown> }>(
  weight: number,
  name: Name,
  members: Members,
) {
  return { weight, arbitrary: fc.record({ op: fc.constant(name), ...members }) as fc.Arbitrary<unknown> }
}

const op = fc.oneof(
  happens(8, "commit", { edits, rules }),
  happens(2, "rename", { path: fc.nat(PATHS - 1), to: fc.nat(3) }),
  happens(4, "revert", { back }),
  happens(2, "foxtrot", { back, edits }),
  happens(2, "rewrite", { back, commits: fc.array(edits, { maxLength: 4 }) }),
  happens(2, "tool", { content: fc.nat(CONTENTS - 1), rules: fc.integer({ min: -2, max: TOOL_RULES - 1 }) }),
  happens(1, "rewriteRules", { back: fc.nat(1), rules: fc.nat(TOOL_RULES - 1) }),
  happens(8, "deliver", { which: small, again: seldom }),
  happens(1, "drop", { which: small }),
  happens(1, "flush", {}),
  happens(6, "start", {
    cluster: fc.nat(2).map((choice) => (choice === 2 ? 1 : 0)),
    tools: seldom,
    full: fc.nat(2).map((choice) => choice === 0),
  }),
  happens(18, "step", { worker: small, gate: small, count: fc.integer({ min: 1, max: 16 }), fault }),
  happens(10, "finish", { worker: small }),
  happens(1, "kill", { worker: small }),
  ...(["hold", "release", "rewind", "approve", "adopt", "detach"] as const).map((name) =>
    happens(1, name, { cluster, tools: seldom, back }),
  ),
  happens(2, "garbage", { cluster }),
  happens(3, "night", { cluster }),
  happens(3, "round", {}),
  happens(1, "hand", {
    cluster,
    target: fc.nat(2),
    what: fc.constantFrom("edit", "stray", "delete", "disown", "unmark"),
  }),
  happens(1, "lose", { cluster, tools: seldom }),
  happens(2, "later", { minutes: fc.nat(90) }),
) as fc.Arbitrary<Op>

/**
 * Schedules of up to `maxLength` ops; they shrink to the fewest that still show the fault. Most start where
 * something is shown already.
 */
export function schedules(maxLength = 50): fc.Arbitrary<Schedule> {
  const ops = fc.array(op, { minLength: 4, maxLength, size: "max" })
  return fc.tuple(fc.nat(3), ops).map(([choice, list]) => (choice === 0 ? list : [{ op: "round" }, ...list]))
}
