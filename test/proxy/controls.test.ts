import { expect, it } from "vitest"
import { MUTANTS } from "../model/mutants.ts"
import { Violation } from "../model/violation.ts"
import { openEmbeddedServer } from "./api-server.ts"
import { MERGES } from "./merges.ts"
import { type Point, playWriterPoint, pointText } from "./writer-points.ts"

const [, MERGE] = MERGES

/** Rules that the code keeps, each broken from outside, and a point that shows it. */
const BROKEN: readonly [mutant: string, point: Omit<Point, "merge" | "ago">][] = [
  ["no token check", { call: "update ci/alpha 1", does: "pause", followedBy: "next" }],
  [
    "record before targets",
    { call: "update headrace/release 2", does: "crash after", followedBy: "nothing" },
  ],
  ["no intent", { call: "update ci/alpha 1", does: "crash after", followedBy: "next" }],
]

it.each(BROKEN)("finds: %s", async (mutant, { call, does, followedBy }) => {
  const subject = MUTANTS[mutant]?.subject
  if (subject === undefined || MERGE === undefined) throw new Error(`the model has no mutant ${mutant}`)
  const point: Point = { merge: MERGE, call, does, followedBy, ago: 0 }
  const server = await openEmbeddedServer()
  try {
    expect(await playWriterPoint(server, point)).toBeGreaterThan(0)
    const broken = await playWriterPoint(server, point, { subject }).catch((error: unknown) => error)
    expect(broken).toBeInstanceOf(Violation)
    process.stdout.write(`${mutant}, ${pointText(point)}: ${String(broken).slice(0, 120)}\n`)
  } finally {
    await server.close()
  }
})
