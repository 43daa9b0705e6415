import { type ChildProcess, spawn } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { expect } from "vitest"
import { it } from "../harness/fixtures.ts"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { withTcpLink } from "../harness/with-tcp-link.ts"

const log = createLog("test", { level: "silent" })
const WRITING = join(import.meta.dirname, "../harness/writing-worker-process.ts")
const LOCK_MS = 800
/** Outlasts whatever a busy machine does to a process. */
const LONG_LOCK_MS = 60_000
const COUNTER = { namespace: "ci", name: "counter" }

interface Operator {
  lanes: Lanes
  kubeconfig: string
  /** Keeps answers of the API server back, or lets them go. */
  hold(held: boolean): void
  reads(): number
  written(): Promise<unknown>
}

async function withOperator(test: (operator: Operator) => Promise<void>, url: string): Promise<void> {
  const lanes = await openLanes({ redis: url, log })
  try {
    await withFolder((folder) =>
      withKube((kube) =>
        withTcpLink(kube.port, async (link) => {
          const counter = inProcessClient(kube.store)
          await counter.create({ metadata: COUNTER, data: {} })
          const kubeconfig = join(folder, "kubeconfig")
          const text = await readFile(kube.kubeconfigFile, "utf8")
          await writeFile(kubeconfig, text.replaceAll(String(kube.port), String(link.port)))
          await test({
            lanes,
            kubeconfig,
            hold: link.hold,
            reads: () => Object.values(kube.requests.all()).reduce((sum, count) => sum + count, 0),
            written: async () => (await counter.get(COUNTER.namespace, COUNTER.name))?.data?.written,
          })
        }),
      ),
    )
  } finally {
    await lanes.close()
  }
}

/** The worker between its read and its write: the answer to the read is on its way. */
async function withWriter(
  url: string,
  operator: Operator,
  lock: number,
  use: (child: ChildProcess, output: () => string) => Promise<void>,
): Promise<void> {
  const args = ["--conditions=source", "--no-warnings", WRITING, url, operator.kubeconfig, String(lock)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString()
  })
  try {
    operator.hold(true)
    await operator.lanes.wake("build01", {
      format: 1,
      source: "release",
      mode: "incremental",
      reason: "test",
    })
    await until(() => output.includes("reading") && operator.reads() > 0)
    await use(child, () => output)
  } finally {
    child.kill("SIGKILL")
  }
}

it("writes nothing after it slept through its lock, and says so", async ({ redis: { url } }) => {
  await withOperator(async (operator) => {
    await withWriter(url, operator, LOCK_MS, async (child, output) => {
      child.kill("SIGSTOP")
      operator.hold(false)
      await untilTakenOver(operator.lanes)
      child.kill("SIGCONT")
      await until(() => /stopped|written/.test(output()))
      expect(output()).toContain("this worker lost its lane")
      expect(await operator.written()).toBeUndefined()
    })
  }, url)
})

it("goes on after a nap that its lock outlasts", async ({ redis: { url } }) => {
  await withOperator(async (operator) => {
    await withWriter(url, operator, LONG_LOCK_MS, async (child, output) => {
      child.kill("SIGSTOP")
      operator.hold(false)
      child.kill("SIGCONT")
      await until(() => /stopped|written/.test(output()))
      expect(await operator.written()).toBe("yes")
    })
  }, url)
})

async function untilTakenOver(lanes: Lanes): Promise<void> {
  let runs = 0
  const worker = workLane(
    lanes,
    "build01",
    async () => {
      runs++
      return { result: "noop", commit: null, failed: [], error: null }
    },
    { log, lockDuration: LOCK_MS, stalledInterval: LOCK_MS / 4 },
  )
  await until(() => runs > 0)
  await worker.close()
}
