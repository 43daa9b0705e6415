import { flag } from "@headrace/shared/command-line/flag"
import { readBytes, readDuration } from "@headrace/shared/foundation/read-units"
import type { Log } from "@headrace/shared/observe/log"
import { type Command, InvalidArgumentError, type Option } from "commander"

/** How long a revision stays after another has replaced it. */
const DEFAULT_AGE = 600_000
const DEFAULT_BYTES = 2 * 2 ** 30
const DEFAULT_REVISIONS = 3

export function durabilityOption(): Option {
  return flag("--durability <how>", "how a revision is made durable before it is shown")
    .choices(["fsync", "syncfs", "auto", "none"])
    .default("auto")
}

/** Retention: `keep`, `keepAge` (ms) and `keepBytes`. */
export function keepOptions(): Option[] {
  return [
    flag("--keep <count>", "revisions that stay, the current one among them")
      .argParser(count)
      .default(DEFAULT_REVISIONS),
    flag("--keep-age <duration>", "revisions replaced less than this ago stay in any case")
      .argParser((text) => parsed(readDuration, text, "expected a duration such as 10m"))
      .default(DEFAULT_AGE, "10m"),
    flag("--keep-bytes <size>", "at this size publishing stops rather than fill the disk")
      .argParser((text) => parsed(readBytes, text, "expected a size such as 64Mi or 2Gi"))
      .default(DEFAULT_BYTES, "2Gi"),
  ]
}

/** Which link shows a projection. */
export function linkOption(): Option {
  return flag("--link <name>", "link that is moved to the new revision").default("..data")
}

export function configFlag(): Option {
  return flag("--config <file>", "the agent's file")
}

/**
 * The log of a command whose standard output is its answer: on standard error, warnings unless --log-level, after the
 * command or before it, says otherwise. Loads the logger, which `--help` and `--version` do without.
 */
export async function commandLog(command: Command): Promise<Log> {
  const { createLog } = await import("@headrace/shared/observe/log")
  const { logLevel } = command.opts<{ logLevel?: string }>()
  const { logLevel: ofProgram } = command.parent?.opts<{ logLevel?: string }>() ?? {}
  return createLog("agent", { level: logLevel ?? ofProgram ?? "warn", destination: process.stderr })
}

function count(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("expected a number from 1")
}

function parsed(read: (text: string) => number | undefined, text: string, expected: string): number {
  const value = read(text)
  if (value !== undefined) return value
  throw new InvalidArgumentError(expected)
}
