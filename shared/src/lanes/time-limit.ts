import type { HeadraceError } from "../foundation/errors.ts"

/** Waits for `work` no longer than `milliseconds`, then throws `late()`; what `work` does later is ignored. */
export async function withTimeLimit<T>(
  work: Promise<T>,
  milliseconds: number,
  late: () => HeadraceError,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds)
  })
  work.catch(() => undefined)
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}
