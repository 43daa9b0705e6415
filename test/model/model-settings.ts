import { settingsOfRecord } from "@headrace/shared/reconcile/decide/judge-settings"
import type { ReconcileSettings } from "@headrace/shared/reconcile/run/ports"
import type { SourceRecord } from "@headrace/shared/record/record"
import { reconcileSettings } from "../harness/reconcile-ports.ts"
import { CLUSTERS, FEWER_RULES_PATH, NAMESPACES, RULES_PATH } from "./model-rules.ts"

/** Each counts with what was deleted in the six hours before it: the core's own default. */
export const GUARD = { deletedKeys: 0.5, deletedConfigMaps: 0.5, atLeast: 1, window: 6 * 3_600_000 }

/** What two settings files of the operator may differ in. */
export interface ModelSettings {
  /** Undefined: the file gives none, as where settings never change. */
  version: number | undefined
  namespaces: readonly string[]
  /** Of the source whose rules are its own. */
  rulesPath: string
  /** Changes the digest of the settings, and the meaning of no rule. */
  repo: string
}

export const FIRST_SETTINGS: ModelSettings = {
  version: undefined,
  namespaces: NAMESPACES,
  rulesPath: RULES_PATH,
  repo: "org/repo",
}

/** What an operator may change: a namespace less, rules that give nothing, and a word that means nothing. */
export const SETTINGS_VARIANTS: readonly Omit<ModelSettings, "version">[] = [
  FIRST_SETTINGS,
  { ...FIRST_SETTINGS, repo: "org/other" },
  { ...FIRST_SETTINGS, namespaces: ["ci"] },
  { ...FIRST_SETTINGS, rulesPath: FEWER_RULES_PATH },
]

/** The settings as reconcile takes them; the second source has its rules where they are, whatever the file says. */
export function settingsFor(
  { version, namespaces, rulesPath, repo }: ModelSettings,
  source: string,
  allowForcePush: boolean,
): ReconcileSettings {
  return reconcileSettings({
    rulesPath: source === "release" ? rulesPath : RULES_PATH,
    repo,
    allowForcePush,
    guard: GUARD,
    clusters: new Map(CLUSTERS.map((name) => [name, { namespaces }])),
    ...(version === undefined ? {} : { settingsVersion: version }),
  })
}

/** Every settings file that there was, by what a record keeps of it. */
export interface SettingsBook {
  /** The one that the operator gave last. */
  current: ModelSettings
  add(settings: ModelSettings): void
  /** True when a program was given other content with the current version: a record may name both from then on. */
  hasRival(): boolean
  /** The settings that a record was written with. */
  of(source: string, record: Pick<SourceRecord, "settings">): ModelSettings
  /** The same by what the record keeps of their content; null: they gave no version. */
  byDigest(source: string, digest: string | null): ModelSettings
}

export function settingsBook(allowForcePush: boolean): SettingsBook {
  const known = new Map<string, ModelSettings>()
  function digestOf(settings: ModelSettings, source: string): string {
    return `${source} ${settingsOfRecord(settingsFor(settings, source, allowForcePush))?.digest}`
  }
  function byDigest(source: string, digest: string | null): ModelSettings {
    return known.get(`${source} ${digest}`) ?? FIRST_SETTINGS
  }
  return {
    current: FIRST_SETTINGS,
    add(settings) {
      for (const source of ["release", "tools"]) known.set(digestOf(settings, source), settings)
    },
    hasRival() {
      const { version } = this.current
      return [...known.values()].some((one) => one.version === version && one !== this.current)
    },
    of: (source, { settings }) => byDigest(source, settings?.digest ?? null),
    byDigest,
  }
}
