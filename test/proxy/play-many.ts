const SIDE_BY_SIDE = 4

/** What came of playing many points or seeds. */
export interface PlayedMany {
  played: number
  perturbations: number
  /** One line for each that did not hold. */
  failures: string[]
}

/**
 * Plays each of these, several side by side: most of the time is spent waiting. Each play has namespaces of its own.
 * `play` gives how often something was perturbed, and throws what does not hold. An abort ends it with what was played.
 */
export async function playMany<Point>(
  points: readonly Point[],
  play: (point: Point) => Promise<number>,
  textOf: (point: Point) => string,
  options: { signal?: AbortSignal; onPlayed?(soFar: PlayedMany): void } = {},
): Promise<PlayedMany> {
  const result: PlayedMany = { played: 0, perturbations: 0, failures: [] }
  const left = points.values()
  async function playOn(): Promise<void> {
    for (const point of left) {
      if (options.signal?.aborted) return
      try {
        const perturbations = await play(point)
        result.perturbations += perturbations
      } catch (error) {
        result.failures.push(`${textOf(point)}: ${String(error)}`)
      }
      result.played += 1
      options.onPlayed?.(result)
    }
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, playOn))
  return result
}
