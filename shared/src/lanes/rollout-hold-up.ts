import { z } from "zod"
import { parseJsonAs } from "../foundation/parse-json.ts"
import type { Lanes } from "./open-lanes.ts"

/** A lane looks at a rollout once a second: what was not said again by then is over. */
const KEPT_MS = 15_000
const MOST = 20
const MOST_LENGTH = 300

const HoldUp = z.strictObject({
  format: z.literal(1),
  holdUp: z.array(z.string().max(MOST_LENGTH)).max(MOST),
})

/** Keeps what the last look at a rollout found that it waits for, for people: nodes, clusters and checks. */
export async function saveHoldUp(
  lanes: Pick<Lanes, "redis" | "key">,
  cluster: string,
  source: string,
  holdUp: readonly string[],
): Promise<void> {
  const key = keyOf(lanes, cluster, source)
  if (holdUp.length === 0) return void (await lanes.redis.unlink(key))
  const kept: z.infer<typeof HoldUp> = {
    format: 1,
    holdUp: holdUp.slice(0, MOST).map((one) => one.slice(0, MOST_LENGTH)),
  }
  await lanes.redis.set(key, JSON.stringify(kept), "PX", KEPT_MS)
}

/** What `saveHoldUp` has kept; none where nothing was said within seconds, or by another format. */
export async function readHoldUp(
  lanes: Pick<Lanes, "redis" | "key">,
  cluster: string,
  source: string,
): Promise<string[]> {
  // A key of another type is another program's; the next look overwrites it.
  const text = await lanes.redis.get(keyOf(lanes, cluster, source)).catch(() => null)
  return (text === null ? undefined : parseJsonAs(HoldUp, text)?.holdUp) ?? []
}

function keyOf({ key }: Pick<Lanes, "key">, cluster: string, source: string): string {
  return key("hold-up", cluster, source)
}
