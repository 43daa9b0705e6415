/** Go's units of time.ParseDuration, in milliseconds. */
const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y

/** `1h30m`, `0.5s`, `100ms`, `0`: a duration as Go writes it, in milliseconds; undefined for any other text. */
export function parseGoDuration(text: string): number | undefined {
  const unsigned = text.replace(/^[+-]/, "")
  const sign = text.startsWith("-") ? -1 : 1
  if (unsigned === "0") return 0
  let total = 0
  PART.lastIndex = 0
  while (PART.lastIndex < unsigned.length) {
    const match = PART.exec(unsigned)
    if (match === null) return undefined
    total += Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0)
  }
  return unsigned === "" ? undefined : sign * total
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"])
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"])

/** What Go's strconv.ParseBool takes; undefined for any other text. */
export function parseGoBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true
  return FALSE.has(text) ? false : undefined
}

/** A whole number, decimal or with Go's prefixes 0x, 0o and 0b; undefined for any other text. */
export function parseGoInt(text: string): number | undefined {
  const match = /^([+-]?)(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.exec(text)
  if (match === null) return undefined
  const value = Number(match[2])
  return Number.isSafeInteger(value) ? (match[1] === "-" ? -value : value) : undefined
}
