import { hasCode } from "@headrace/shared/foundation/errors"

/** Waits for work that ends with the signal: that it was aborted is no error. */
export async function untilStopped(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!signal.aborted || (error !== signal.reason && !hasCode(error, "program/stopped"))) throw error
  }
}
