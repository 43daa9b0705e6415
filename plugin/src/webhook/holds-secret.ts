import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import type { WebhookSecrets } from "./webhook-secrets.ts"

const LONGEST_SECRET = 4096

/** True when a request has one of the secrets as its bearer token (RFC 6750). */
export async function holdsSecret(
  { headers }: Pick<IncomingMessage, "headers">,
  secrets: Pick<WebhookSecrets, "texts">,
): Promise<boolean> {
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1]
  if (given === undefined || given.length > LONGEST_SECRET) return false
  const known = await secrets.texts()
  // Each is compared, in constant time by its digest: how long it takes must say nothing about a secret.
  return known.map((secret) => timingSafeEqual(digest(secret), digest(given))).includes(true)
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}
