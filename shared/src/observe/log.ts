import { type DestinationStream, type Logger, pino } from "pino"

export type Log = Logger

export interface LogOptions {
  /** `trace` to `fatal`, or `silent`. */
  level?: string
  destination?: DestinationStream
}

/** Names of fields that can hold a secret, at any depth that our log lines have. */
const SECRET_FIELDS = ["token", "password", "secret", "authorization", "privateKey"]

/**
 * The program's log: JSON lines on standard output, ISO time, level as a word, one static message with
 * fields. `component` is the program's or part's name. Secrets are cut by field name; never log a whole
 * settings object or URL with credentials all the same.
 */
export function createLog(component: string, options: LogOptions = {}): Log {
  return pino(
    {
      level: options.level ?? "info",
      base: { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  )
}

/** The token of a revision is its place in a history, which operators look for, and no secret. */
function censor(value: unknown): unknown {
  return isPlace(value) ? value : "[secret]"
}

function isPlace(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  const { epoch, seq, ...others } = value as Record<string, unknown>
  return typeof epoch === "number" && typeof seq === "number" && Object.keys(others).length === 0
}
