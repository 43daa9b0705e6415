import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import { DEFAULTS, localOperatorSettings, SOURCE } from "@headrace/config/local/local-settings"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { procUsage } from "../../harness/proc-usage.ts"
import { quantile } from "../quantile.ts"
import { type BenchRepository, createBenchRepository } from "./bench-repository.ts"

/**
 * What one changed file costs among so many: `node one-size.ts FILES [one-target]`, a process for each size, so that its
 * memory is its own. The API server is a process beside it. Sends its figures to its parent.
 */
export interface SizeFigures {
  files: number
  /** Milliseconds. */
  beyondFetch: number
  fetch: number
  plan: number
  /** Milliseconds of CPU of this process for a whole reconcile, the fetch too. */
  cpu: number
  firstProjection: number
  rebuild: number
  residentMegabytes: number
}

const TOKEN = "bench"
const WARM_UP = 5
const RUNS = 31
const HARNESS = join(import.meta.dirname, "../../harness")

async function measureSize(files: number, view: boolean): Promise<SizeFigures> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-bench-"))
  const repository = await createBenchRepository(join(folder, "repository.git"), files, view)
  const port = await freePort()
  const kube = fork(join(HARNESS, "kube-process.ts"), [String(port), TOKEN], {
    execArgv: ["--conditions=source", "--no-warnings"],
  })
  kube.send("up")
  await once(kube, "message")
  try {
    const reconciler = await openIn(folder, repository, `http://127.0.0.1:${port}`)
    const figures = await measure(reconciler, repository)
    await reconciler.close()
    return { files, ...figures }
  } finally {
    kube.disconnect()
    await rm(folder, { recursive: true, force: true })
  }
}

async function openIn(folder: string, repository: BenchRepository, url: string): Promise<Reconciler> {
  const kubeconfig = join(folder, "kubeconfig")
  const settingsFile = join(folder, "headrace.yaml")
  await writeFile(kubeconfig, embeddedKubeconfig(url, TOKEN))
  const { branch, rules } = repository
  const source = {
    repo: repository.folder,
    branch,
    rules,
    repository: "example/bench",
    pollSeconds: 60,
    guard: true,
  }
  const files = { secret: join(folder, "secret"), mirrors: join(folder, "mirrors") }
  const kubeconfigs = new Map([[DEFAULTS.cluster, kubeconfig]])
  await writeFile(settingsFile, localOperatorSettings(source, kubeconfigs, files))
  return openReconciler(await loadOperatorSettings(settingsFile), createLog("bench", { level: "silent" }))
}

async function measure(
  reconciler: Reconciler,
  repository: BenchRepository,
): Promise<Omit<SizeFigures, "files">> {
  const signal = new AbortController().signal
  const firstProjection = await milliseconds(() => reconcile(reconciler, "incremental", "applied", signal))
  const changes = []
  for (let round = 1; round <= WARM_UP + RUNS; round++) {
    await repository.changeOne(round)
    const before = process.cpuUsage()
    const start = performance.now()
    const { stages } = await reconcile(reconciler, "incremental", "applied", signal)
    const beyond = performance.now() - start - stages.fetch
    const { user, system } = process.cpuUsage(before)
    changes.push({ ...stages, beyond, cpu: (user + system) / 1000 })
  }
  const { residentMegabytes } = procUsage(process.pid)
  const rebuild = await milliseconds(() => reconcile(reconciler, "full", "noop", signal))
  const warm = changes.slice(WARM_UP)
  const median = (figure: "beyond" | "fetch" | "plan" | "cpu") =>
    quantile(
      warm.map((change) => change[figure]),
      0.5,
    )
  return {
    beyondFetch: median("beyond"),
    fetch: median("fetch"),
    plan: median("plan"),
    cpu: median("cpu"),
    firstProjection,
    rebuild,
    residentMegabytes,
  }
}

async function reconcile(
  reconciler: Reconciler,
  mode: "incremental" | "full",
  expected: string,
  signal: AbortSignal,
) {
  const outcome = await reconciler.run(DEFAULTS.cluster, SOURCE, mode, signal)
  if (outcome.result !== expected || outcome.failed.length > 0)
    throw new Error(
      `reconcile: ${outcome.result}, ${outcome.failed.length} targets failed: ${outcome.failed[0]?.reason}`,
    )
  return outcome
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

const [, , files = "", shape] = process.argv
const figures = await measureSize(Number(files), shape !== "one-target")
process.send?.(figures)
process.stdout.write(process.send ? "" : `${JSON.stringify(figures, null, 2)}\n`)
process.exit(0)
