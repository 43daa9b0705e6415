import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { sha256 } from "@headrace/shared/foundation/digest"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { Token } from "@headrace/shared/record/record"
import { compareTokens } from "@headrace/shared/record/token"
import { z } from "zod"
import type { Inputs } from "../assemble/inputs.ts"
import { openKnownFolder, readKnownFile, writeKnownFile } from "../assemble/known-file.ts"
import type { OpenProjection } from "../publish/open-projection.ts"

const FILE = "trusted-record"
/** Clocks of writers and nodes may differ by so much without a word. */
const SKEW_MS = 300_000

const Shown = z.strictObject({
  format: z.literal(1),
  token: Token,
  /** Digest of what the record has a node show: its root, and a candidate. */
  content: z.string(),
  /** Milliseconds since the epoch. */
  signedAt: z.int(),
})
type Shown = z.infer<typeof Shown>

/** How far a projection has come along the signed records of its source. */
export interface RecordFloor {
  /** Throws `trust/replayed`, `trust/too-old` for a record that may not be shown. */
  judge(inputs: Inputs, folder: Pick<OpenProjection, "floor">, now: number): Promise<void>
  /** Writes down that a record is shown. */
  shown(inputs: Inputs): Promise<void>
}

/**
 * Keeps a signed record from being replayed. A smaller token is refused by the projection's floor as any (invariant 2).
 * Here is what that leaves: of one token the record that was signed last counts; and where nothing was shown yet, so
 * that there is no floor, a signature is refused that is older than `maxAge`. A node that shows something is never too
 * late: what an outage of any length leaves in force is shown again after a restart.
 */
export function createRecordFloor(known: string, maxAge: number, log: Log): RecordFloor {
  let last: Shown | undefined | "unread" = "unread"
  let warned: number | undefined

  async function lastShown(): Promise<Shown | undefined> {
    if (last !== "unread") return last
    const parsed = Shown.safeParse(await readKnownFile(known, FILE))
    last = parsed.success ? parsed.data : undefined
    return last
  }

  function warnOfFuture(signedAt: number, now: number): void {
    if (signedAt <= now + SKEW_MS || warned === signedAt) return
    warned = signedAt
    log.warn(
      { signedAt: new Date(signedAt).toISOString() },
      "the record was signed in the future: compare the clocks",
    )
  }

  return {
    async judge(inputs, folder, now) {
      const found = shownBy(inputs)
      if (found === undefined) return
      warnOfFuture(found.signedAt, now)
      const before = await lastShown()
      if (before !== undefined && isReplayed(found, before)) throw replayed(found, before)
      const floor = inputs.recordOrigin && folder.floor(inputs.recordOrigin)
      const hasFloor = floor !== undefined && (floor.epoch > 0 || floor.seq > 0)
      if (!hasFloor && now - found.signedAt > maxAge) throw tooOld(found, now, maxAge)
    },
    async shown(inputs) {
      const found = shownBy(inputs)
      if (found === undefined || canonicalJson(found) === canonicalJson(await lastShown())) return
      last = found
      await openKnownFolder(known)
      await writeKnownFile(known, FILE, canonicalJson(found))
    },
  }
}

function shownBy({ record, recordSignature }: Inputs): Shown | undefined {
  if (record === undefined || recordSignature === undefined) return undefined
  const { token, root, candidate } = record
  const content = sha256(canonicalJson({ root, candidate }))
  return { format: 1, token, content, signedAt: recordSignature.signedAt }
}

function isReplayed(found: Shown, before: Shown): boolean {
  const isSameToken = compareTokens(found.token, before.token) === 0
  return isSameToken && found.content !== before.content && found.signedAt < before.signedAt
}

function replayed(found: Shown, before: Shown): HeadraceError {
  const [one, other] = [found, before].map(({ signedAt }) => new Date(signedAt).toISOString())
  return new HeadraceError(
    "trust/replayed",
    `the record was signed at ${one}, and one of ${other} was shown`,
    {
      hint: "Look at who may write records; the writer's next run signs again.",
    },
  )
}

function tooOld({ signedAt }: Shown, now: number, maxAge: number): HeadraceError {
  const hours = Math.round((now - signedAt) / 3_600_000)
  const message = `the record was signed ${hours} h ago, at ${new Date(signedAt).toISOString()}; maxAge is ${Math.round(maxAge / 3_600_000)} h, and nothing was shown here yet`
  return new HeadraceError("trust/too-old", message, {
    hint: "Start the plugin or the hourly job: each full run signs again.",
  })
}
