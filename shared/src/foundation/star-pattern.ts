/** True where a name is like a pattern: `*` is any number of letters, everything else is itself. Linear: each part is found at its first place. */
export function isLike(name: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*")
  if (rest.length === 0) return name === pattern
  const last = rest.pop() ?? ""
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}
