#!/usr/bin/env node
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import { realKubeMissing } from "../harness/real-kube.ts"
import { openEmbeddedServer, openRealServer } from "./api-server.ts"
import { MERGES } from "./merges.ts"
import { listNodePoints, nodePointText, playNodePoint } from "./node-points.ts"
import { type PlayedMany, playMany } from "./play-many.ts"
import { playRandom } from "./play-random.ts"
import { listWriterPoints, playWriterPoint, pointText } from "./writer-points.ts"

const PROGRESS_EVERY = 100

/** The long form, on a real kube-apiserver where there is one: every point of one merge, then random plays. */
await runProgram(async (signal) => {
  const options = new Command("proxy")
    .option("--plays <count>", "how many random plays", "500")
    .option("--seed <number>", "of the first play; the others follow it")
    .option("--only <part>", "writer, node or random")
    .option("--every <number>", "of the points only each so many", "1")
    .parse()
    .opts<{ plays: string; seed?: string; only?: string; every: string }>()
  const missing = realKubeMissing()
  if (missing) process.stdout.write(`proxy: ${missing}; the embedded API server takes its place\n`)
  const first = options.seed === undefined ? Date.now() % 2 ** 31 : Number(options.seed)
  const server = await (missing ? openEmbeddedServer() : openRealServer())
  let failures = 0

  async function part<Point>(
    name: string,
    points: () => Promise<readonly Point[]>,
    play: (point: Point) => Promise<number>,
    textOf: (point: Point) => string,
  ): Promise<void> {
    if (options.only && !name.includes(options.only)) return
    const start = performance.now()
    const chosen = (await points()).filter((_, index) => index % Number(options.every) === 0)
    const found = await playMany(chosen, play, textOf, {
      signal,
      onPlayed({ played, failures: failed }) {
        if (played % PROGRESS_EVERY === 0)
          process.stdout.write(`${name}: ${played} played, ${failed.length} failures\n`)
      },
    })
    failures += found.failures.length
    process.stdout.write(reportOf(name, found, performance.now() - start))
  }

  try {
    for (const merge of MERGES) {
      await part(
        `writer, ${merge.name}`,
        () => listWriterPoints(server, merge),
        (point) => playWriterPoint(server, point),
        pointText,
      )
    }
    await part(
      "node",
      () => listNodePoints(server),
      (point) => playNodePoint(server, point),
      nodePointText,
    )
    const seeds = Array.from({ length: Number(options.plays) }, (_, index) => first + index)
    await part(
      `random from seed ${first}`,
      async () => seeds,
      (seed) => playRandom(server, seed),
      String,
    )
  } finally {
    await server.close()
  }
  return failures === 0 ? 0 : 1
})

function reportOf(name: string, { played, perturbations, failures }: PlayedMany, took: number): string {
  const figures = `${played} played, ${perturbations} perturbations, ${failures.length} failures, ${Math.round(took / 1000)} s`
  return [`${name}: ${figures}`, ...failures, ""].join("\n")
}
