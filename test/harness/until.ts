import { setTimeout as delay } from "node:timers/promises"

/** Waits for a condition; fails by its text when it does not come true in `limit` milliseconds. */
export async function until(condition: () => boolean | Promise<boolean>, limit = 150_000): Promise<void> {
  const end = Date.now() + limit
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`never came true: ${condition}`)
    await delay(10)
  }
}
