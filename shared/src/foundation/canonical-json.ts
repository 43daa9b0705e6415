/**
 * JSON with object keys in code-unit order and no white space, so that equal values give equal bytes
 * (the idea of RFC 8785, for the strings, safe integers, booleans and nulls that our formats hold).
 * Members whose value is `undefined` are left out.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value)
  return Array.isArray(value) ? arrayJson(value) : objectJson(value)
}

function arrayJson(items: readonly unknown[]): string {
  let json = ""
  for (const item of items) json += `${json === "" ? "" : ","}${canonicalJson(item ?? null)}`
  return `[${json}]`
}

// One string that grows: every record, index and digest passes through here, and lists of members cost more than the text.
function objectJson(value: object): string {
  let json = ""
  // Without a comparison it sorts by UTF-16 code units, as compareText does.
  for (const key of Object.keys(value).sort()) {
    const member: unknown = Reflect.get(value, key)
    if (member === undefined) continue
    json += `${json === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${json}}`
}

/** Orders strings by UTF-16 code unit, the same on every machine and locale (unlike localeCompare). */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
