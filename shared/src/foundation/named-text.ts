/** The first names of a list, and how many more there are: `a, b and 3 more`. `total`: where the list itself was cut. */
export function namedText(names: readonly string[], most: number, total = names.length): string {
  const named = names.slice(0, most)
  const more = total - named.length
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}
