import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { procUsage } from "../harness/proc-usage.ts"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { commitOf, writeRevision } from "../harness/write-revision.ts"

const PROGRAM = join(import.meta.dirname, "../../agent/dist/main.js")
const FILES = 200
const ROUNDS = 4
const REVISIONS = 100
/** Longer than a batch of spans waits. */
const SENT_MS = 6000
const LIMIT_MS = 120_000
/** Reads what comes and keeps nothing, in a process of its own, so that only the agent is measured. */
const RECEIVER = `require("node:http").createServer((request, response) => {
  request.resume().on("end", () => response.end("{}"))
}).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`

/** What traces cost an agent: processor time for each revision without and with them, in turn, and memory. */
export async function run(): Promise<Record<string, number>> {
  const receiver = spawn(process.execPath, ["-e", RECEIVER], { stdio: ["ignore", "pipe", "inherit"] })
  endChildWithProcess(receiver)
  const [port] = await once(receiver.stdout, "data")
  const endpoint = `http://127.0.0.1:${String(port).trim()}`
  const cost = { off: 0, on: 0 }
  const resident = { off: 0, on: 0 }
  try {
    for (let round = 0; round < ROUNDS; round++) {
      for (const mode of ["off", "on"] as const) {
        const measured = await measureAgent(mode === "on" ? ["--otlp-endpoint", endpoint] : [])
        cost[mode] += measured.cpuSeconds
        resident[mode] += measured.residentMegabytes / ROUNDS
      }
    }
  } finally {
    receiver.kill()
  }
  const each = (seconds: number) => (seconds * 1000) / (ROUNDS * REVISIONS)
  return {
    "a revision, traces off, CPU ms": each(cost.off),
    "a revision, traces on, CPU ms": each(cost.on),
    "on / off": cost.on / cost.off,
    "traces at a revision a second, % of one CPU": (each(cost.on) - each(cost.off)) / 10,
    "idle, traces off, resident MB": resident.off,
    "idle, traces on, resident MB": resident.on,
  }
}

function measureAgent(flags: readonly string[]): Promise<{ cpuSeconds: number; residentMegabytes: number }> {
  return withFolder((folder) =>
    withKube(async ({ store, kubeconfigFile }) => {
      const files = Object.fromEntries(
        Array.from({ length: FILES }, (_, at) => [`f${at}.yaml`, `a: ${at}\n`]),
      )
      const write = (seq: number) => {
        const targets = { "ci/jobs": { ...files, "f0.yaml": `a: revision ${seq}\n` } }
        return writeRevision(inProcessClient(store), { seq, targets })
      }
      await write(1)
      const config = join(folder, "agent.yaml")
      const jobs = {
        path: join(folder, "jobs"),
        keep: { age: "0s" },
        from: [{ configMap: "ci/jobs" }],
        notify: [{ touch: join(folder, "notified") }],
      }
      const settings = {
        version: 1,
        record: "headrace/release",
        kubeconfig: kubeconfigFile,
        listen: "127.0.0.1:0",
      }
      await writeFile(config, JSON.stringify({ ...settings, projections: { jobs } }))
      const agent = runMarked([PROGRAM, "--config", config, ...flags])
      try {
        return await measureRevisions(agent, write)
      } finally {
        agent.child.kill("SIGTERM")
        await agent.ended
      }
    }),
  )
}

async function measureRevisions({ child, output }: MarkedRun, write: (seq: number) => Promise<string>) {
  const published = (seq: number) => until(() => output().includes(`"revision":"${commitOf(seq)}"`), LIMIT_MS)
  await published(1)
  await delay(SENT_MS)
  const before = procUsage(child.pid).cpuSeconds
  for (let seq = 2; seq < REVISIONS + 2; seq++) {
    await write(seq)
    await published(seq)
  }
  await delay(SENT_MS)
  const { cpuSeconds, residentMegabytes } = procUsage(child.pid)
  return { cpuSeconds: cpuSeconds - before, residentMegabytes }
}
