import { expect, it } from "vitest"
import { systemClock } from "../foundation/clock.ts"
import { createLog } from "../observe/log.ts"
import type { ObjectEvent } from "./event-api.ts"
import { createEventRecorder } from "./event-recorder.ts"
import { KubeError } from "./kube-error.ts"
import { eventJson } from "./protocol/event-json.ts"

const RECORD = { metadata: { namespace: "headrace-store", name: "release", uid: "u1" } }
const MINUTE = 60_000

function recorded(createEvent = async (): Promise<void> => undefined) {
  const written: string[] = []
  const lines: string[] = []
  const time = { now: 1_000_000 }
  const recorder = createEventRecorder({
    kube: {
      async createEvent(_, { message }: ObjectEvent) {
        await createEvent()
        written.push(message)
      },
    },
    clock: { ...systemClock, now: () => time.now },
    log: createLog("test", { destination: { write: (line: string) => void lines.push(line) } }),
  })
  const record = (...messages: string[]) => {
    const events = messages.map((message) => ({ type: "Normal", reason: "Published", message }) as const)
    recorder.record(RECORD, events)
    return recorder.settled()
  }
  return { record, written, lines, time }
}

it("writes events in order, and the same one again only after ten minutes", async () => {
  const { record, written, time } = recorded()
  await record("one", "two")
  await record("one")
  time.now += 10 * MINUTE
  await record("one")
  expect(written).toEqual(["one", "two", "one"])
})

it("writes twenty about one object and then one every half minute, and counts those left out", async () => {
  const { record, written, time } = recorded()
  const many = Array.from({ length: 50 }, (_, index) => `event ${index}`)
  await record(...many)
  expect(written).toEqual(many.slice(0, 20))
  time.now += MINUTE
  await record("later", "latest", "too many")
  expect(written.slice(20)).toEqual(["later (30 events before it left out)", "latest"])
})

it("holds nothing up: a failure is ignored, and a missing right is named once and not asked for again", async () => {
  let tries = 0
  const { record, written, lines, time } = recorded(async () => {
    tries += 1
    if (tries === 1) throw new KubeError("kube/unavailable", "no answer")
    if (tries === 2) throw new KubeError("kube/forbidden", "no right")
  })
  await record("lost")
  await record("forbidden")
  await record("not tried")
  expect(tries).toBe(2)
  expect(lines.filter((line) => line.includes("no right to write events"))).toHaveLength(1)
  time.now += 60 * MINUTE
  await record("again")
  expect(written).toEqual(["again"])
})

it("gives each event a name of its own, and cuts its message between characters at what the API server takes", () => {
  const event = { type: "Warning", reason: "TargetFailed", message: "ü".repeat(2000) } as const
  const [first, second] = [eventJson(RECORD, event, 5000), eventJson(RECORD, event, 5000)] as {
    metadata: { name: string }
    message: string
  }[]
  expect(first?.metadata.name).toMatch(/^release\.[0-9a-f]+$/)
  expect(first?.metadata.name).not.toBe(second?.metadata.name)
  expect(Buffer.byteLength(first?.message ?? "")).toBeLessThanOrEqual(1024)
  expect(first?.message).toMatch(/^ü+…$/)
})
