/**
 * The word of `words` that `given` is most likely a slip of, by edit distance (Damerau 1964): at most
 * a third of the letters may differ. Undefined when none is close.
 */
export function closestWord(given: string, words: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined
  for (const word of words) {
    const distance = editDistance(given.toLowerCase(), word.toLowerCase())
    if (distance > Math.max(given.length, word.length) / 3) continue
    if (!best || distance < best.distance) best = { word, distance }
  }
  return best?.word
}

/** More words than this are no help at a glance. */
const MOST_LISTED = 16
const NEAREST = 3

function nearestWords(given: string, words: readonly string[]): string[] {
  const distances = words.map((word) => ({
    word,
    distance: editDistance(given.toLowerCase(), word.toLowerCase()),
  }))
  return distances
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAREST)
    .map(({ word }) => word)
}

/** A hint that asks for the closest word, or lists the words when none is close: all of a few, of many the nearest three. */
export function suggestion(given: string, words: Iterable<string>): string {
  const known = [...words]
  const closest = closestWord(given, known)
  if (closest !== undefined) return `Check the spelling: did you mean "${closest}"?`
  if (known.length === 0) return "Remove it."
  if (known.length <= MOST_LISTED) return `Choose one of: ${known.join(", ")}.`
  return `Choose one of the ${known.length}; the nearest are ${nearestWords(given, known).join(", ")}.`
}

/** Optimal string alignment: insertions, deletions, substitutions, and neighbours swapped. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (beforeLast[j - 2] ?? i) + 1 : substituted
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substituted, swapped))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
