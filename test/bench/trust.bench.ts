import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { believe, watchRecord } from "@headrace/agent/watch/watch-record"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { withMemoryFolder } from "../harness/with-folder.ts"
import { forgedNode } from "../trust/forged-node.ts"
import { MINUTE, NAMESPACE, SOURCE, START, written } from "../trust/forger.ts"
import { makeKeys } from "../trust/forgery-codes.ts"
import { quantile } from "./quantile.ts"

const RECORDS = 2000
const PUBLISHES = 200
const IDLE_MS = 3000
const WEEK = 7 * 1440 * MINUTE
const MODES = ["without", "with"] as const
type Mode = (typeof MODES)[number]

/** Milliseconds of verification for each publish, and verifications while nothing happens. */
export const goals = {
  "verification of a record, p50 ms": 10,
  "verification of a record, p99 ms": 10,
  "verification of a record, CPU ms": 10,
  "a publish costs more with trust, p50 ms": 10,
  "verifications in 3 s at idle": 0,
}

/** What `trust` costs an agent: for each record that it reads, for each publish, and at idle; in turn without and with. */
export async function run(): Promise<Record<string, number>> {
  return withMemoryFolder(async (folder) => {
    const { keys, files } = await makeKeys(join(folder, "keys"))
    const trust = { keys: files, clusters: ["east"], maxAge: WEEK }
    const records = await timeRecords(written(keys.own, 7).record, trust)
    const publishes = await timePublishes(folder, (seq) => written(keys.own, seq), trust)
    return {
      "a record, without trust, p50 ms": quantile(records.without, 0.5),
      "a record, with trust, p50 ms": quantile(records.with, 0.5),
      "verification of a record, p50 ms": quantile(records.with, 0.5) - quantile(records.without, 0.5),
      "verification of a record, p99 ms": quantile(records.with, 0.99) - quantile(records.without, 0.5),
      "verification of a record, CPU ms": (records.cpu.with - records.cpu.without) / RECORDS,
      "a publish, without trust, p50 ms": quantile(publishes.without, 0.5),
      "a publish, without trust, p99 ms": quantile(publishes.without, 0.99),
      "a publish, with trust, p50 ms": quantile(publishes.with, 0.5),
      "a publish, with trust, p99 ms": quantile(publishes.with, 0.99),
      "a publish costs more with trust, p50 ms":
        quantile(publishes.with, 0.5) - quantile(publishes.without, 0.5),
      "verifications in 3 s at idle": await countAtIdle(written(keys.own, 7).record, trust),
    }
  })
}

type Trust = { keys: string[]; clusters: string[]; maxAge: number }
type Written = ReturnType<typeof written>

async function timeRecords(record: Written["record"], trust: Trust): Promise<Times> {
  return inTurn(RECORDS, async (mode) => {
    const place = { namespace: NAMESPACE, name: SOURCE, trust: mode === "with" ? trust : undefined }
    await believe(record, place, START + 20 * MINUTE)
  })
}

/** From a record that was read to what readers see: two nodes take the same revisions, in a tmpfs. */
async function timePublishes(
  folder: string,
  revision: (seq: number) => Written,
  trust: Trust,
): Promise<Times> {
  const open = async (mode: Mode) => {
    await mkdir(join(folder, mode))
    const now = () => START + 4 * PUBLISHES * MINUTE
    return forgedNode(join(folder, mode), mode === "with" ? trust : undefined, now)
  }
  const nodes = { without: await open("without"), with: await open("with") }
  const times = await inTurn(PUBLISHES, async (mode, round) => {
    const refused = await nodes[mode].look(revision(round + 6))
    if (refused !== undefined) throw new Error(`revision ${round + 6} is refused: ${refused}`)
  })
  for (const mode of MODES) await nodes[mode].close()
  return times
}

/** Milliseconds of each round, and of all rounds on a processor: what another program takes is not in these. */
interface Times extends Record<Mode, number[]> {
  cpu: Record<Mode, number>
}

async function inTurn(rounds: number, work: (mode: Mode, round: number) => Promise<void>): Promise<Times> {
  const times: Times = { without: [], with: [], cpu: { without: 0, with: 0 } }
  for (let round = 0; round < rounds; round++) {
    for (const mode of MODES) {
      const [began, used] = [performance.now(), process.cpuUsage()]
      await work(mode, round)
      times[mode].push(performance.now() - began)
      const { user, system } = process.cpuUsage(used)
      times.cpu[mode] += (user + system) / 1000
    }
  }
  return times
}

/** Follows a record as the agent does, and counts how often keys are read once it was believed. */
async function countAtIdle(record: Written["record"], trust: Trust): Promise<number> {
  let read = 0
  const counting = {
    clusters: trust.clusters,
    get keys() {
      read++
      return trust.keys
    },
  }
  const client = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const { resourceVersion: _, uid: __, ...metadata } = record.metadata
  await client.create({ ...record, metadata })
  const ending = new AbortController()
  const ports = {
    clock: systemClock,
    log: createLog("bench", { level: "silent" }),
    status: { feeds: new Map(), gitTroubles: new Map() },
  }
  const place = { namespace: NAMESPACE, name: SOURCE, trust: counting }
  const { promise: believed, resolve } = Promise.withResolvers<unknown>()
  const watching = watchRecord(client, place, ports, resolve, ending.signal).catch(() => undefined)
  await believed
  const before = read
  await delay(IDLE_MS)
  ending.abort()
  await watching
  return read - before
}
