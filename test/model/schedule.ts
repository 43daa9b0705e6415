import fc from "fast-check"
import type { Fault } from "./gates.ts"

/** A path of the model's files and what becomes of it; `content` -1: deleted, -2: a link to another path. */
export interface Edit {
  path: number
  content: number
}

/** One thing that happens. Numbers choose among what there is, modulo how many there are. */
export type Op =
  | { op: "commit"; edits: Edit[]; rules: number }
  | { op: "revert"; back: number }
  | { op: "foxtrot"; back: number; edits: Edit[] }
  | { op: "rewrite"; back: number; commits: Edit[][] }
  | { op: "tool"; content: number }
  | { op: "start"; cluster: number; tools: boolean; full: boolean }
  | { op: "step"; worker: number; gate: number; count: number; fault: Fault }
  | { op: "finish"; worker: number }
  | { op: "kill"; worker: number }
  | { op: "hold" | "release" | "rewind" | "approve"; cluster: number; back: number }
  | { op: "garbage"; cluster: number }
  /** Hours in which nothing happens but garbage collection, twice. */
  | { op: "night"; cluster: number }
  | { op: "hand"; cluster: number; target: number; what: "edit" | "stray" | "delete" | "disown" }
  | { op: "lose"; cluster: number }
  | { op: "later"; minutes: number }

export type Schedule = readonly Op[]

const PATHS = 9
const CONTENTS = 4
const RULES = 6

const small = fc.nat(7)
const edit = fc.record({ path: fc.nat(PATHS - 1), content: fc.integer({ min: -2, max: CONTENTS - 1 }) })
const edits = fc.array(edit, { minLength: 1, maxLength: 3 })
const back = fc.nat(3)
const fault = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>("none") },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Fault>("conflict", "invalid", "busy", "broken", "unheard", "unanswered"),
  },
)
/** Most commits leave the rules alone. */
const rules = fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 2, arbitrary: fc.nat(RULES - 1) })

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant("commit" as const), edits, rules }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("revert" as const), back }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("foxtrot" as const), back, edits }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("rewrite" as const),
      back,
      commits: fc.array(edits, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("tool" as const), content: fc.nat(CONTENTS - 1) }) },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constant("start" as const),
      cluster: fc.nat(2).map((choice) => (choice === 2 ? 1 : 0)),
      tools: fc.nat(5).map((choice) => choice === 0),
      full: fc.nat(3).map((choice) => choice === 0),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({
      op: fc.constant("step" as const),
      worker: small,
      gate: small,
      count: fc.integer({ min: 1, max: 12 }),
      fault,
    }),
  },
  { weight: 9, arbitrary: fc.record({ op: fc.constant("finish" as const), worker: small }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("kill" as const), worker: small }) },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom("hold" as const, "release" as const, "rewind" as const, "approve" as const),
      cluster: fc.nat(1),
      back,
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("garbage" as const), cluster: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("night" as const), cluster: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant("hand" as const),
      cluster: fc.nat(1),
      target: fc.nat(2),
      what: fc.constantFrom("edit" as const, "stray" as const, "delete" as const, "disown" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("lose" as const), cluster: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("later" as const), minutes: fc.nat(90) }) },
)

/** Schedules of up to `maxLength` ops; they shrink to the fewest that still show the fault. */
export function schedules(maxLength = 45): fc.Arbitrary<Schedule> {
  return fc.array(op, { minLength: 4, maxLength, size: "max" })
}
