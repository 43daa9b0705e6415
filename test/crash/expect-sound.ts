import { expect } from "vitest"
import type { ProjectionOptions } from "../harness/with-projection.ts"
import { type Finding, lookAtProjection, recoverAndPublish } from "./check-projection.ts"
import { revisionsOf } from "./scenario.ts"

/** Looks, recovers and publishes after a crash: what was acknowledged has to be there, whole, and the way free. */
export async function expectSound(
  path: string,
  acked: number,
  at: string,
  options: ProjectionOptions = {},
): Promise<Finding> {
  const revisions = revisionsOf(options.layout)
  const found = await lookAtProjection(path, revisions, options)
  const where = `${at}, acknowledged ${acked}`
  expect(found, where).not.toBe("torn")
  expect(found === "nothing" ? -1 : found, where).toBeGreaterThanOrEqual(acked)
  expect(await recoverAndPublish(path, revisions, found, options), where).toEqual([])
  return found
}
