/**
 * The benches to run: all, or those that `only` names, separated by commas.
 *
 * @throws RangeError with the list of names when one is unknown
 */
export function selectBenches(names: string[], only: string | undefined): string[] {
  if (only === undefined) return names
  const wanted = only
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean)
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0 || wanted.length === 0) {
    throw new RangeError(`unknown bench "${unknown.join(", ")}"; the benches are ${names.join(", ")}`)
  }
  return names.filter((name) => wanted.includes(name))
}
