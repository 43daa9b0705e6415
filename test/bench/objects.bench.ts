import { startColdFleet } from "../objects/cold-fleet.ts"

const AGENTS = Number(process.env.HEADRACE_FLEET_AGENTS ?? 200)
const BYTES = 20_000_000
const COPIES = `${AGENTS} agents start on 20 MB: copies from the API server`

export const goals = { [COPIES]: 2 }

/**
 * A cold fleet: agents that start together and read a store of 20 MB through a plugin that serves its objects. All are in
 * this process and share its CPU, so the time is an upper bound. HEADRACE_FLEET_AGENTS: how many.
 */
export async function run(): Promise<Record<string, number>> {
  const { copies, bytes, milliseconds } = await startColdFleet({
    agents: AGENTS,
    bytes: BYTES,
    timeout: 600_000,
  })
  return {
    [COPIES]: copies,
    "the store, packed MB": bytes / 1e6,
    "until all of them have it, s": milliseconds / 1000,
  }
}
