import type { Clock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import type { ReturnLook } from "@headrace/shared/reconcile/return-failed"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect, it } from "vitest"
import { watchRollouts } from "./watch-rollouts.ts"

const URL = "https://github.com/example/config.git"
const log = createLog("test", { level: "silent" })

function settingsOf(clusters: readonly string[]): OperatorSettings {
  const source = { url: URL, branch: "main", rules: "rules.yaml" }
  return OperatorSettings.parse({
    version: 1,
    sources: { staged: { ...source, rollout: { stages: [{ nodes: "10%" }, {}] } }, plain: source },
    clusters: Object.fromEntries(clusters.map((name) => [name, {}])),
  })
}

/** Plays what each look gives, in order; then ends. Gives the places that were looked at, and the waits after them. */
async function play(looks: readonly (ReturnLook | Error)[], clusters: readonly string[] = ["east"]) {
  const stop = new AbortController()
  const places: string[] = []
  const waits: number[] = []
  const left = new Map(clusters.map((cluster) => [cluster, [...looks]]))
  const clock: Clock = {
    now: () => 0,
    async sleep(milliseconds) {
      waits.push(milliseconds)
      if ([...left.values()].every((rest) => rest.length === 0)) stop.abort(new Error("enough"))
      stop.signal.throwIfAborted()
    },
  }
  async function returnFailed(cluster: string, source: string): Promise<ReturnLook> {
    places.push(`${cluster} ${source}`)
    const look = left.get(cluster)?.shift() ?? "none"
    if (look instanceof Error) throw look
    return look
  }
  await watchRollouts({ settings: settingsOf(clusters), returnFailed, clock, log }, stop.signal)
  return { places, waits }
}

it("looks at every cluster of the sources that have stages, and at no other source", async () => {
  const { places } = await play(["none"], ["east", "west"])
  expect(new Set(places)).toEqual(new Set(["east staged", "west staged"]))
})

it("looks every second while a rollout is under way or has just returned, and rarely otherwise", async () => {
  const { waits } = await play(["none", "under way", "returned", "none"])
  expect(waits).toEqual([10_000, 1000, 1000, 10_000])
})

it("looks on at the same pace while a cluster does not answer", async () => {
  const away = new Error("the API server is away")
  const { waits } = await play([away, "under way", away, away, "returned", away, "none"])
  expect(waits).toEqual([10_000, 1000, 1000, 1000, 1000, 1000, 10_000])
})

it("looks at one cluster while another one keeps it waiting", async () => {
  const stop = new AbortController()
  let looks = 0
  async function returnFailed(cluster: string, _source: string, signal: AbortSignal): Promise<ReturnLook> {
    if (cluster === "west") return new Promise((_, reject) => signal.addEventListener("abort", reject))
    looks += 1
    if (looks === 5) stop.abort(new Error("enough"))
    return "under way"
  }
  const clock: Clock = { now: () => 0, sleep: async () => undefined }
  await watchRollouts({ settings: settingsOf(["east", "west"]), returnFailed, clock, log }, stop.signal)
  expect(looks).toBe(5)
})
