import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { WebhookSecrets } from "../webhook/webhook-secrets.ts"

/** Shows which outcomes in Redis a plugin of this installation has written. */
export interface OutcomeSeals {
  /** Hex, for the outcome of a delivery in a cluster; `place` is its delivery, cluster and source. */
  seal(place: readonly string[], outcome: string): Promise<string>
  isSealed(place: readonly string[], outcome: string, seal: string | undefined): Promise<boolean>
}

const DOMAIN = "headrace outcome 1"

/**
 * Seals with the webhook's secrets, which all plugins have and Redis has not. Any of them may have sealed, so that they can
 * be rotated. Without secrets there are no deliveries either: a key of this process does.
 */
export function outcomeSeals(secrets: Pick<WebhookSecrets, "texts"> | undefined): OutcomeSeals {
  const own = randomBytes(32).toString("hex")

  async function keys(): Promise<readonly string[]> {
    return secrets === undefined ? [own] : secrets.texts()
  }
  return {
    async seal(place, outcome) {
      const [key = own] = await keys()
      return mac(key, place, outcome).toString("hex")
    },
    async isSealed(place, outcome, seal) {
      const given = Buffer.from(seal ?? "", "hex")
      return (await keys()).some((key) => {
        const wanted = mac(key, place, outcome)
        return given.length === wanted.length && timingSafeEqual(given, wanted)
      })
    },
  }
}

function mac(key: string, place: readonly string[], outcome: string): Buffer {
  return createHmac("sha256", key)
    .update(JSON.stringify([DOMAIN, ...place, outcome]))
    .digest()
}
