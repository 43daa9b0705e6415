import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { pollSource } from "./poll-sources.ts"

it("logs what fails again in the same way once, and that it has ended", async () => {
  const stop = new AbortController()
  const lines: string[] = []
  const log = createLog("test", { destination: { write: (line) => void lines.push(line) } })
  const fates = ["down", "down", "down", "gone", "", "down"]
  await pollSource(
    "release",
    0,
    {
      async tip() {
        const fate = fates.shift()
        if (fate === undefined) stop.abort()
        if (fate) throw new Error(fate)
        return "a"
      },
      onMoved: async () => undefined,
      onSame: async () => false,
      onPolled: () => undefined,
      log,
    },
    stop.signal,
  )
  const logged = lines.map((line) => JSON.parse(line))
  expect(logged.map(({ msg, err }) => [msg, err])).toEqual([
    ["poll failed", "down"],
    ["poll failed", "gone"],
    ["poll succeeded again", undefined],
    ["poll failed", "down"],
    ["poll succeeded again", undefined],
  ])
})
