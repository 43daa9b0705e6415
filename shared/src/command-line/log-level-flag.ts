import { type Flag, flag } from "./flag.ts"

/** The levels of pino, from the most lines to none. */
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"]

/** `--log-level`, which refuses a level that does not exist. */
export function logLevelFlag(): Flag {
  const levels = flag("--log-level <level>", "the least that is logged")
  levels.choices(LEVELS)
  return levels
}
