import { readFile } from "node:fs/promises"
import { errorText, UsageError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { Webhooks } from "@octokit/webhooks"

/** Verifies signatures by the secrets of several files, any of which may have signed. */
export interface WebhookSecrets {
  /** `signature` is the header x-hub-signature-256. */
  verify(payload: string, signature: string): Promise<boolean>
  /** The secrets themselves, without the blanks around them. */
  texts(): Promise<readonly string[]>
}

const REREAD_MS = 10_000

/**
 * Reads the secrets, now and again every ten seconds of use, so that a rotated Secret needs no restart.
 * Throws UsageError `webhook/secret` when a file cannot be read or is empty; later, the last good ones stay.
 */
export async function openWebhookSecrets(files: readonly string[], log: Log): Promise<WebhookSecrets> {
  let secrets = await readSecrets(files)
  let readAt = Date.now()

  async function refresh(): Promise<void> {
    if (Date.now() - readAt < REREAD_MS) return
    readAt = Date.now()
    secrets = await readSecrets(files).catch((error: unknown) => {
      log.warn({ err: errorText(error) }, "webhook secrets do not read; the last good ones stay in force")
      return secrets
    })
  }

  return {
    async texts() {
      await refresh()
      return secrets.map(({ text }) => text)
    },
    async verify(payload, signature) {
      // Octokit throws on an empty body; GitHub never sends one.
      if (payload === "") return false
      await refresh()
      for (const secret of secrets) {
        if (await secret.webhooks.verify(payload, signature)) return true
      }
      return false
    },
  }
}

interface Secret {
  text: string
  webhooks: Webhooks
}

async function readSecrets(files: readonly string[]): Promise<Secret[]> {
  const texts = await Promise.all(files.map(readSecret))
  return texts.map((text) => ({ text, webhooks: new Webhooks({ secret: text }) }))
}

async function readSecret(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    const hint = "Mount the Secret that holds it, or correct the path in secretFiles."
    throw new UsageError("webhook/secret", `cannot read the webhook secret ${file}`, { hint, cause })
  })
  const secret = text.trim()
  if (secret !== "") return secret
  throw new UsageError("webhook/secret", `the webhook secret ${file} is empty`, {
    hint: "Write the secret into it that the webhook has on GitHub.",
  })
}
