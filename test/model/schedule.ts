import fc from "fast-check"
import type { Edit } from "./edit.ts"
import type { Fault } from "./gates.ts"
import type { WiderOp, WorldOp } from "./world-op.ts"

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
  | { op: "deliver"; which: number; again: boolean; program?: number }
  | { op: "drop"; which: number }
  /** Redis is flushed: every wake-up on its way is lost. */
  | { op: "flush" }
  /** A poll or, with `full`, the hourly bootstrapper: a look that nobody asked for. */
  | { op: "start"; cluster: number; tools: boolean; full: boolean; program?: number }
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
  | WorldOp
  | WiderOp

export type Schedule = readonly Op[]

const PATHS = 9
const CONTENTS = 4
const RULES = 6
/** Beside those: rules with more targets than a record has room for. */
const MANY_RULES = RULES
const TOOL_RULES = 3
/** Beyond the programs that keep their memory: one that has just started. */
const PROGRAMS = 4

const small = fc.nat(7)
const cluster = fc.nat(1)
export const rarely: fc.Arbitrary<boolean> = fc.nat(5).map((choice) => choice === 0)
export const edits: fc.Arbitrary<Edit[]> = editsOf(-2)
const back = fc.nat(3)
const FAULTS = ["conflict", "invalid", "busy", "broken", "unheard", "unanswered"] as const

function editsOf(least: number): fc.Arbitrary<Edit[]> {
  const edit = fc.record({
    path: fc.nat(PATHS - 1),
    content: fc.integer({ min: least, max: CONTENTS - 1 }),
  })
  return fc.array(edit, { minLength: 1, maxLength: 3 })
}

/** An op's name, how often it happens beside the others, and its members. */
interface Happening {
  name: string
  weight: number
  arbitrary: fc.Arbitrary<unknown>
}

export function happens<
  Name extends Op["op"],
  Members extends { [member: string]: fc.Arbitrary<unknown> | undefined },
>(weight: number, name: Name, members: Members): Happening {
  const given = Object.entries(members).filter(([, member]) => member !== undefined)
  return { name, weight, arbitrary: fc.record({ op: fc.constant(name), ...Object.fromEntries(given) }) }
}

/**
 * What happens in the house: merges, wake-ups, workers, operators, hands. `widened`: a program that keeps its memory does
 * it, commits hold what is not known and what is empty, and answers come from the past.
 */
export function houseOps({ widened }: { widened: boolean }): Happening[] {
  const program = widened ? fc.nat(PROGRAMS - 1) : undefined
  const changes = widened ? editsOf(-4) : edits
  const faults = fc.constantFrom<Fault>(...FAULTS, ...(widened ? ["past" as const] : []))
  const fault = fc.oneof(
    { weight: 12, arbitrary: fc.constant<Fault>("none") },
    { weight: 12, arbitrary: faults },
  )
  /** Most commits leave the rules alone. */
  const rules = fc.oneof(
    { weight: 5, arbitrary: fc.constant(-1) },
    { weight: 2, arbitrary: fc.nat(widened ? MANY_RULES : RULES - 1) },
  )
  return [
    happens(8, "commit", { edits: changes, rules }),
    happens(2, "rename", { path: fc.nat(PATHS - 1), to: fc.nat(3) }),
    happens(4, "revert", { back }),
    happens(2, "foxtrot", { back, edits: changes }),
    happens(2, "rewrite", { back, commits: fc.array(changes, { maxLength: 4 }) }),
    happens(2, "tool", {
      content: fc.nat(CONTENTS - 1),
      rules: fc.integer({ min: -2, max: TOOL_RULES - 1 }),
    }),
    happens(1, "rewriteRules", { back: fc.nat(1), rules: fc.nat(TOOL_RULES - 1) }),
    happens(8, "deliver", { which: small, again: rarely, program }),
    happens(1, "drop", { which: small }),
    happens(1, "flush", {}),
    happens(6, "start", {
      cluster: fc.nat(2).map((choice) => (choice === 2 ? 1 : 0)),
      tools: rarely,
      full: fc.nat(2).map((choice) => choice === 0),
      program,
    }),
    happens(18, "step", { worker: small, gate: small, count: fc.integer({ min: 1, max: 16 }), fault }),
    happens(10, "finish", { worker: small }),
    happens(1, "kill", { worker: small }),
    ...(["hold", "release", "rewind", "approve", "adopt", "detach"] as const).map((name) =>
      happens(1, name, { cluster, tools: rarely, back }),
    ),
    happens(2, "garbage", { cluster }),
    happens(3, "night", { cluster }),
    happens(3, "round", {}),
    happens(1, "hand", {
      cluster,
      target: fc.nat(2),
      what: fc.constantFrom("edit", "stray", "delete", "disown", "unmark"),
    }),
    happens(1, "lose", { cluster, tools: rarely }),
    happens(2, "later", { minutes: fc.nat(90) }),
  ]
}

/**
 * Schedules of up to `maxLength` ops of the house alone; they shrink to the fewest that still show the fault. Most start
 * where something is shown already.
 */
export function schedules(maxLength = 50): fc.Arbitrary<Schedule> {
  const op = fc.oneof(...houseOps({ widened: false })) as fc.Arbitrary<Op>
  const ops = fc.array(op, { minLength: 4, maxLength, size: "max" })
  return fc.tuple(fc.nat(3), ops).map(([choice, list]) => (choice === 0 ? list : [{ op: "round" }, ...list]))
}
