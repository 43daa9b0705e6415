import { spawn } from "node:child_process"
import { once } from "node:events"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { expect, it } from "vitest"
import { loadKoffi } from "./load-koffi.ts"
import { throughKoffi } from "./native-calls.ts"
import { reapOrphans, zombiesOf } from "./reap-orphans.ts"

it.runIf(throughKoffi())(
  `reaps children that Node did not start, and lets Node reap its own${whySkipped(throughKoffi() ? undefined : "koffi is not installed")}`,
  async () => {
    const libc = loadKoffi().load(null)
    // popen(3) forks a shell of our own that Node knows nothing of.
    const popen = libc.func("void *popen(const char *command, const char *mode)")
    popen("true", "r")
    await expect.poll(() => zombiesOf(process.pid).length).toBe(1)
    const stop = reapOrphans(process.pid, 20)
    try {
      await expect.poll(() => zombiesOf(process.pid)).toEqual([])
      const child = spawn("sh", ["-c", "exit 7"])
      expect(await once(child, "exit")).toEqual([7, null])
    } finally {
      stop?.()
    }
  },
)
