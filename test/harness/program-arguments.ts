import { join } from "node:path"
import { type ProgramName, programCommand } from "@headrace/config/local/child-program"

const ROOT = join(import.meta.dirname, "../..")

/**
 * What Node runs as one of our programs. `npm test` has just bundled them as `npm pack` does, so tests run what users have
 * (and start twice as fast); a test that somebody runs by itself takes the sources as they are.
 */
export function programArguments(name: ProgramName): string[] {
  return programCommand(name)
}

/** What Node runs as one of our programs from its sources. */
export function sourceArguments(name: ProgramName): string[] {
  return ["--conditions=source", "--no-warnings", join(ROOT, name, "src/main.ts")]
}
