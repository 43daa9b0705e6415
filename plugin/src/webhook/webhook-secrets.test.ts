import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { Webhooks } from "@octokit/webhooks"
import { afterEach, describe, expect, it, vi } from "vitest"
import { openWebhookSecrets, type WebhookSecrets } from "./webhook-secrets.ts"

const BODY = '{"a":1}'

/** Two secret files, as during a rotation; `later` lets the time pass after which files are read again. */
function withSecrets(
  fn: (
    secrets: WebhookSecrets,
    files: { old: string; next: string },
    log: { text: string },
    later: () => void,
  ) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const files = { old: join(folder, "old"), next: join(folder, "next") }
    await writeFile(files.old, "the old one\n")
    await writeFile(files.next, "the next one")
    const said = { text: "" }
    const log = createLog("test", { destination: { write: (line) => (said.text += line) } })
    const clock = Date.now
    let passed = 0
    vi.spyOn(Date, "now").mockImplementation(() => clock() + passed)
    const secrets = await openWebhookSecrets([files.old, files.next], log)
    await fn(secrets, files, said, () => (passed += 11_000))
  })
}

async function accepts(secrets: WebhookSecrets, secret: string, body = BODY): Promise<boolean> {
  return secrets.verify(body, await new Webhooks({ secret }).sign(BODY))
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe("webhook secrets", () => {
  it("may each have signed, and no other; another body has another signature", () =>
    withSecrets(async (secrets) => {
      expect(await accepts(secrets, "the old one")).toBe(true)
      expect(await accepts(secrets, "the next one")).toBe(true)
      expect(await accepts(secrets, "a third one")).toBe(false)
      expect(await accepts(secrets, "the old one", '{"a":2}')).toBe(false)
      expect(await secrets.verify("", "sha256=")).toBe(false)
    }))

  it("are read again while it runs; one that cannot be read leaves the last good ones, and is reported without its content", () =>
    withSecrets(async (secrets, { old, next }, log, later) => {
      await writeFile(old, "rotated")
      later()
      expect(await accepts(secrets, "rotated")).toBe(true)
      expect(await accepts(secrets, "the old one")).toBe(false)

      await rm(next)
      later()
      expect(await accepts(secrets, "the next one")).toBe(true)
      expect(log.text).toContain("webhook secrets do not read; the last good ones stay in force")
      expect(log.text).not.toMatch(/rotated|the next one/)
    }))

  it("must be there, and must not be empty, at the start", () =>
    withFolder(async (folder) => {
      const file = join(folder, "hmac")
      const open = () => openWebhookSecrets([file], createLog("test", { level: "silent" }))
      await expect(open()).rejects.toMatchObject({ code: "webhook/secret" })
      await writeFile(file, " \n")
      await expect(open()).rejects.toMatchObject({ code: "webhook/secret" })
    }))
})
