import { setTimeout as delay } from "node:timers/promises"
import type { StagedSite } from "./staged-site.ts"

/** How long a fault lasts: longer than a look and a lock's lifetime need not be waited for. */
const LASTS_MS = 1500

/** What is done to the control plane in the middle of a stage. Each undoes itself; its promise is its end. */
export const FAULTS: { readonly [name: string]: (site: StagedSite) => Promise<void> } = {
  async "Redis killed and emptied"({ redis }) {
    await redis.kill()
    await delay(LASTS_MS)
    await redis.restart()
  },
  async "a worker killed"({ plugins: [first] }) {
    await first?.kill()
    await delay(LASTS_MS)
    first?.start()
  },
  async "both workers killed"({ plugins }) {
    await Promise.all(plugins.map((plugin) => plugin.kill()))
    await delay(LASTS_MS)
    for (const plugin of plugins) plugin.start()
  },
  async "a worker stopped"({ plugins: [, second] }) {
    second?.child().kill("SIGSTOP")
    await delay(LASTS_MS * 3)
    second?.child().kill("SIGCONT")
  },
  async "both workers stopped"({ plugins }) {
    for (const plugin of plugins) plugin.child().kill("SIGSTOP")
    await delay(LASTS_MS)
    for (const plugin of plugins) plugin.child().kill("SIGCONT")
  },
}
