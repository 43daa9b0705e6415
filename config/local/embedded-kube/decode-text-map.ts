import { badRequest } from "./api-failure.ts"

/**
 * A map of strings out of a request body. Null values become empty, as Go decodes them; an empty map is
 * undefined. Throws 400 that names `path` (`ConfigMap.Data`).
 */
export function decodeTextMap(value: unknown, path: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== "object" || Array.isArray(value)) throw undecodable(path, "expects an object")
  const map = new Map<string, string>()
  for (const [key, member] of Object.entries(value)) {
    if (member !== null && typeof member !== "string")
      throw undecodable(`${path}[${key}]`, "expects a string")
    map.set(key, member ?? "")
  }
  // Not by assignment: a key may be `__proto__`.
  return map.size > 0 ? Object.fromEntries(map) : undefined
}

/** 400 for a body that is JSON, but not of its kind. */
export function undecodable(path: string, why: string): Error {
  const kind = path.split(".", 1)[0]
  return badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: v1.${path}: ${why}`)
}
