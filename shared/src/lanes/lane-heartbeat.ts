import type { Lanes } from "./open-lanes.ts"

const BEAT_MS = 3000
const ALIVE_MS = 10_000

/** Shows that a worker of this lane lives, until `stop`. Redis counts the time, so clocks need not agree. */
export function startHeartbeat(lanes: Lanes, cluster: string): { stop(): void } {
  const beat = () => {
    // A missed beat is no matter: there are three to a life.
    lanes.redis.set(heartbeatKey(lanes, cluster), "1", "PX", ALIVE_MS).catch(() => undefined)
  }
  beat()
  const timer = setInterval(beat, BEAT_MS)
  return { stop: () => clearInterval(timer) }
}

/** False when no worker of this lane has shown itself for ten seconds. */
export async function hasLiveWorker(lanes: Lanes, cluster: string): Promise<boolean> {
  return (await lanes.redis.exists(heartbeatKey(lanes, cluster))) === 1
}

function heartbeatKey(lanes: Lanes, cluster: string): string {
  return lanes.key("alive", cluster)
}
