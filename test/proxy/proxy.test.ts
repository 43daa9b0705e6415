import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { realKubeMissing } from "../harness/real-kube.ts"
import { type ApiServer, openEmbeddedServer, openRealServer } from "./api-server.ts"
import { MERGES } from "./merges.ts"
import { listNodePoints, nodePointText, playNodePoint } from "./node-points.ts"
import { playMany } from "./play-many.ts"
import { playRandom } from "./play-random.ts"
import { listWriterPoints, playWriterPoint, pointText } from "./writer-points.ts"

/** The long form plays every point and 500 seeds: `npm run test:proxy`. */
const EVERY = { writer: 37, node: 23 }
const SEED = 20_261_128
const PLAYS = 3
const LIMIT = { timeout: 300_000 }

const isReal = realKubeMissing() === undefined
let server: ApiServer

beforeAll(async () => {
  server = await (isReal ? openRealServer() : openEmbeddedServer())
})
afterAll(() => server.close())

/** Some of them, from all over. */
function sampled<Point>(points: readonly Point[], every: number): Point[] {
  return points.filter((_, index) => index % every === 0)
}

describe(`a perturbing proxy before ${isReal ? "a real kube-apiserver" : "the embedded API server"}`, () => {
  it.each(MERGES)("keeps every promise about $name, whatever becomes of one call", LIMIT, async (merge) => {
    const points = sampled(await listWriterPoints(server, merge), EVERY.writer)
    const { failures, played } = await playMany(points, (point) => playWriterPoint(server, point), pointText)
    expect(failures).toEqual([])
    expect(played).toBeGreaterThan(3)
  })

  it("keeps a node on its way forward, whatever becomes of one call or event", LIMIT, async () => {
    const points = sampled(await listNodePoints(server), EVERY.node)
    const { failures, played } = await playMany(
      points,
      (point) => playNodePoint(server, point),
      nodePointText,
    )
    expect(failures).toEqual([])
    expect(played).toBeGreaterThan(3)
  })

  it("keeps every promise in random weather", LIMIT, async () => {
    const seeds = Array.from({ length: PLAYS }, (_, index) => SEED + index)
    const { failures, perturbations } = await playMany(seeds, (seed) => playRandom(server, seed), String)
    expect(failures).toEqual([])
    expect(perturbations).toBeGreaterThan(PLAYS)
  })
})
