import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import type { RecordSettings, SourceRecord } from "../../record/record.ts"
import type { ReconcileSettings } from "../run/ports.ts"

const DIGITS = 16

/** What a record keeps of the settings that it follows; null: they give no version. */
export function settingsOfRecord(settings: ReconcileSettings): RecordSettings | null {
  const { settingsVersion, clusters, ...rest } = settings
  if (settingsVersion === undefined) return null
  const digest = sha256(canonicalJson({ ...rest, clusters: [...clusters] })).slice(0, DIGITS)
  return { version: settingsVersion, digest, rival: null }
}

/**
 * May these settings write, where the record follows others? `settings/older`: the record knows a larger version.
 * `settings/conflict`: two contents have one version, and neither is written until one of them has a larger. Settings
 * without a version are older than any with one; among themselves the last to look wins. Pure.
 *
 * `next` is the record's entry when it has to change to say so.
 */
export function judgeSettings(
  { settings: known }: Pick<SourceRecord, "settings">,
  settings: ReconcileSettings,
): { error: HeadraceError; next: RecordSettings } | undefined {
  const own = settingsOfRecord(settings)
  if (known === null) return undefined
  if (own === null || own.version < known.version)
    return { error: older(own?.version, known.version), next: known }
  if (own.version > known.version) return undefined
  if (own.digest === known.digest && known.rival === null) return undefined
  const rival = known.rival ?? own.digest
  return { error: conflict(known.version, known.digest, rival), next: { ...known, rival } }
}

function older(own: number | undefined, known: number): HeadraceError {
  const mine = own === undefined ? "give no settingsVersion" : `have settingsVersion ${own}`
  return new HeadraceError("settings/older", `these settings ${mine}; the record follows version ${known}`, {
    hint: `Give this program the current settings, or raise settingsVersion above ${known} if these are right.`,
    fields: { own: own ?? null, known },
  })
}

function conflict(version: number, one: string, other: string): HeadraceError {
  return new HeadraceError(
    "settings/conflict",
    `two different settings have settingsVersion ${version}: ${one} and ${other}; neither is written`,
    {
      hint: `Raise settingsVersion above ${version} in the settings that are right.`,
      fields: { version, one, other },
    },
  )
}
