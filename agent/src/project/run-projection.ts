import type { Clock } from "@headrace/shared/foundation/clock"
import { hasCode } from "@headrace/shared/foundation/errors"
import type { Inputs } from "../assemble/inputs.ts"
import { followLatest, waitOrNewer } from "../watch/follow-latest.ts"
import { createLatest, type Latest } from "../watch/latest.ts"
import type { Projection } from "./projection.ts"
import type { ProjectionPorts } from "./projection-work.ts"

/** How often to look whether disk still shows what was published, in milliseconds. */
const LOOK_EVERY = 4_000

/** Shows each new value of the inputs, and the same again when another process has moved it, until the signal aborts. */
export async function runProjection(
  projection: Projection,
  inputs: Latest<Inputs>,
  ports: ProjectionPorts,
  signal: AbortSignal,
): Promise<void> {
  const { random = Math.random, clock, lookEvery = LOOK_EVERY } = ports
  const wanted = createLatest<Inputs>()
  let following: Promise<unknown> | undefined
  try {
    let awaited: Inputs | undefined
    const show = async (given: Inputs) => {
      // Once for what is new: a failure is retried as its own backoff has it. A candidate is left without a wait.
      const waits = given !== awaited && ports.jitter > 0 && projection.status().isCandidate !== true
      if (waits) await clock.sleep(random() * ports.jitter, signal)
      awaited = inputs.current()?.value ?? given
      await projection.show(awaited, signal)
    }
    following = followLatest(wanted, show, projection.failed, clock, signal)
    const handing = handOn(inputs, wanted, projection.isMoved, lookEvery, clock, signal)
    const showAgain = () => {
      const newest = inputs.current()
      if (newest !== undefined) wanted.set(newest.value)
    }
    const beside = [projection.notify(signal), projection.check(showAgain, signal)]
    await untilStopped(Promise.all([following, handing, ...beside]), signal)
  } finally {
    // What is being opened or published as we end uses the folder until it has ended too.
    if (signal.aborted) await following?.catch(() => undefined)
    await projection.close()
  }
}

/** Hands on each new value, and the newest once more when `isStale`, asked every so many milliseconds, says so. */
async function handOn(
  inputs: Latest<Inputs>,
  wanted: Latest<Inputs>,
  isStale: () => Promise<boolean>,
  every: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<never> {
  for (let seen = 0; ; ) {
    await waitOrNewer(every, inputs, seen, clock, signal)
    const newest = inputs.current()
    if (newest === undefined || (newest.version === seen && !(await isStale()))) continue
    seen = newest.version
    wanted.set(newest.value)
  }
}

/** Waits for work that ends with the signal: that it was aborted is no error. */
export async function untilStopped(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!signal.aborted || (error !== signal.reason && !hasCode(error, "program/stopped"))) throw error
  }
}
