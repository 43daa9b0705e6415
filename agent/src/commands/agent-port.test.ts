import { createLog } from "@headrace/shared/observe/log"
import { DEFAULT_AGENT_BOUNDS as bounds } from "@headrace/shared/settings/bounds"
import { expect, it } from "vitest"
import { freePort } from "../../../config/local/free-port.ts"
import { openPort } from "./agent-port.ts"

const log = createLog("test", { level: "silent" })

it("opens a port again for settings that did not start at first, and keeps none of those that never did", async () => {
  const [first, wrong, right] = [await freePort(), await freePort(), await freePort()].map(
    (port) => `127.0.0.1:${port}`,
  )
  const port = await openPort({ listen: `${first}`, bounds }, log)
  try {
    await port.open({ listen: `${wrong}`, bounds })
    await port.open({ listen: `${right}`, bounds })
    await port.open({ listen: `${right}`, bounds })
    await expect(fetch(`http://${wrong}/healthz`)).rejects.toThrow()
    expect((await fetch(`http://${right}/healthz`)).status).toBe(200)
  } finally {
    await port.close()
  }
})
