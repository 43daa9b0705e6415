/** What is wrong with the entries of a lock, in a sentence each: no digest, or a place of its own to come from. Pure. */
export function faultsOfLock({ packages }) {
  return Object.entries(packages).flatMap(([place, entry]) => {
    if (!place.includes("node_modules/") || entry.link) return []
    const { integrity = "", resolved } = entry
    const isSafe = /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity)
    return [
      ...(isSafe ? [] : [`${place} has no sha512 digest`]),
      ...(resolved === undefined ? [] : [`${place} names a place to come from: ${resolved}`]),
    ]
  })
}
