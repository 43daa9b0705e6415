import { type ModelSettings, SETTINGS_VARIANTS } from "./model-settings.ts"
import type { Program } from "./programs.ts"
import type { Simulation } from "./simulation.ts"

/**
 * The operator changes the settings file, and gives it the next version. Each program goes on with what it has read until
 * it reads again. `clash`: one program gets a file of other content with the version that is current.
 */
export function changeSettings(
  simulation: Simulation,
  { variant, clash }: { variant: number; clash: boolean },
  program: Program,
): void {
  const { settings, tally } = simulation
  const [first] = SETTINGS_VARIANTS
  const content = SETTINGS_VARIANTS[variant % SETTINGS_VARIANTS.length] ?? first
  if (content === undefined) return
  if (clash && settings.current.version !== undefined) {
    program.settings = { ...content, version: settings.current.version }
    settings.add(program.settings)
    tally.count("settings: one program has others of the same version")
    return
  }
  giveSettings(simulation, content)
  program.settings = settings.current
  tally.count("settings: changed")
}

/** Settings of the next version, with this content. */
export function giveSettings(
  { settings }: Simulation,
  { namespaces, rulesPath, repo }: Omit<ModelSettings, "version">,
): void {
  settings.current = { namespaces, rulesPath, repo, version: (settings.current.version ?? 0) + 1 }
  settings.add(settings.current)
}

/**
 * Every program reads the settings again; where two were given one version, the operator gives the next one first: also
 * when the program that had the other ones has started again since.
 */
export function endSettingsChanges(simulation: Simulation): void {
  const { programs, settings } = simulation
  if (settings.hasRival()) giveSettings(simulation, settings.current)
  for (const program of programs) program.settings = settings.current
}
