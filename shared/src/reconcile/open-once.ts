import { HeadraceError } from "../foundation/errors.ts"

/** Things by name, each opened when it is first asked for. */
export interface OpenedOnce<Thing> {
  /**
   * Asking while it is being opened waits for the same one; one that failed to open is tried again. Throws
   * `program/stopped` once all are closed.
   */
  get(name: string): Promise<Thing>
  /**
   * Closes what is open, all of it even when some fail; throws the first failure. Nothing is opened afterwards: it would
   * stay open, and a mirror's folder would stay claimed.
   */
  closeAll(close: (thing: Thing) => Promise<void>): Promise<void>
}

/** Keeps what `open` gives, by name. */
export function openOnce<Thing>(open: (name: string) => Promise<Thing> | Thing): OpenedOnce<Thing> {
  const things = new Map<string, Promise<Thing>>()
  let isClosed = false
  async function opening(name: string): Promise<Thing> {
    if (isClosed) throw new HeadraceError("program/stopped", `${name} is not opened: what uses it has ended`)
    return open(name)
  }
  return {
    get(name) {
      const known = things.get(name)
      if (known !== undefined) return known
      const thing = opening(name)
      things.set(name, thing)
      thing.catch(() => things.delete(name))
      return thing
    },
    async closeAll(close) {
      isClosed = true
      const results = await Promise.allSettled([...things.values()].map(async (thing) => close(await thing)))
      things.clear()
      const failed = results.find((result) => result.status === "rejected")
      if (failed) throw failed.reason
    },
  }
}
