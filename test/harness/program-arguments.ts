import { join } from "node:path"

const ROOT = join(import.meta.dirname, "../..")

type Program = "agent" | "bootstrapper" | "plugin"

/**
 * What Node runs as one of our programs. `npm test` has just bundled them as `npm pack` does, so tests run what users have
 * (and start twice as fast); a test that somebody runs by itself takes the sources as they are.
 */
export function programArguments(name: Program): string[] {
  if (process.env.HEADRACE_TEST_PROGRAMS === "bundle") return [join(ROOT, name, "bundle/main.js")]
  return sourceArguments(name)
}

/** What Node runs as one of our programs from its sources. */
export function sourceArguments(name: Program): string[] {
  return ["--conditions=source", "--no-warnings", join(ROOT, name, "src/main.ts")]
}
