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

const members = {
  token: Token,
  /** Digest of what the record has a node show: its root, and a candidate. */
  content: z.string(),
  /** Milliseconds since the epoch. */
  signedAt: z.int(),
}

/** A record as a projection shows it, or showed it when it followed that record. */
const Shown = z.strictObject({ ...members, source: z.string() })
type Shown = z.infer<typeof Shown>

/** Of a file of format 1, which names no source: any may be meant. */
const ANY_SOURCE = ""
/** Records that are not followed any more: a path that changes its record for ever must not grow. */
const REMEMBERED = 32

/** The newest first. */
const Known = z.union([
  z.strictObject({ format: z.literal(2), records: z.array(Shown) }).transform(({ records }) => records),
  z
    .strictObject({ ...members, format: z.literal(1) })
    .transform(({ format: _, ...one }): Shown[] => [{ ...one, source: ANY_SOURCE }]),
])

/** How far a projection has come along the signed records of its source. */
export interface RecordFloor {
  /** Throws `trust/replayed`, `trust/too-old` for a record that may not be shown. */
  judge(inputs: Inputs, folder: Pick<OpenProjection, "floor">, now: number): Promise<void>
  /** Writes down that a record is shown. */
  shown(inputs: Inputs): Promise<void>
}

/**
 * Keeps a signed record from being replayed. A smaller token is refused by the projection's floor as any (invariant 2).
 * Here is what that leaves: of one token of one record what was signed last counts; and where nothing was shown yet, so
 * that there is no floor, a signature is refused that is older than `maxAge`. A node that shows something is never too
 * late: what an outage of any length leaves in force is shown again after a restart.
 */
export function createRecordFloor(folder: string, maxAge: number, log: Log): RecordFloor {
  let known: readonly Shown[] | undefined
  let warned: number | undefined

  async function readKnown(): Promise<readonly Shown[]> {
    if (known !== undefined) return known
    const parsed = Known.safeParse(await readKnownFile(folder, FILE))
    known = parsed.success ? parsed.data : []
    return known
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
    async judge(inputs, projection, now) {
      const found = shownBy(inputs)
      if (found === undefined) return
      warnOfFuture(found.signedAt, now)
      const before = (await readKnown()).find(({ source }) => [found.source, ANY_SOURCE].includes(source))
      if (before !== undefined && isReplayed(found, before)) throw replayed(found, before)
      const floor = inputs.recordOrigin && projection.floor(inputs.recordOrigin)
      const hasFloor = floor !== undefined && (floor.epoch > 0 || floor.seq > 0)
      if (!hasFloor && now - found.signedAt > maxAge) throw tooOld(found, now, maxAge)
    },
    async shown(inputs) {
      const found = shownBy(inputs)
      if (found === undefined) return
      const before = await readKnown()
      const others = before.filter(({ source }) => ![found.source, ANY_SOURCE].includes(source))
      const records = [found, ...others].slice(0, REMEMBERED)
      if (canonicalJson(records) === canonicalJson(before)) return
      known = records
      await openKnownFolder(folder)
      await writeKnownFile(folder, FILE, canonicalJson({ format: 2, records }))
    },
  }
}

function shownBy({ record, recordOrigin, recordSignature }: Inputs): Shown | undefined {
  if (record === undefined || recordSignature === undefined) return undefined
  const { token, root, candidate } = record
  const content = sha256(canonicalJson({ root, candidate }))
  const source = recordOrigin?.source ?? `record ${record.source}`
  return { source, token, content, signedAt: recordSignature.signedAt }
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
