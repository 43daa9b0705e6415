import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { embeddedKubeconfig } from "@headrace/config/local/embedded-kube/embedded-kubeconfig"
import { freePort } from "@headrace/config/local/free-port"
import { DEFAULTS, localOperatorSettings, SOURCE } from "@headrace/config/local/local-settings"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { procUsage } from "../../harness/proc-usage.ts"
import type { BenchRepository } from "./bench-repository.ts"

const TOKEN = "bench"
const HARNESS = join(import.meta.dirname, "../../harness")

/** What an API server has done so far. */
export interface ServerUsage {
  requests: number
  cpuSeconds: number
}

/** A reconciler in this process, for one repository and one cluster, whose API server is a process beside it. */
export interface BenchSite<Repository> {
  repository: Repository
  reconciler: Reconciler
  serverUsage(): Promise<ServerUsage>
}

/** `make` makes the repository in a folder of its own. */
export async function withBenchSite<
  Repository extends Pick<BenchRepository, "folder" | "branch" | "rules">,
  T,
>(
  make: (folder: string) => Promise<Repository>,
  use: (site: BenchSite<Repository>) => Promise<T>,
): Promise<T> {
  const folder = temporaryFolder("headrace-bench-")
  const repository = await make(join(folder, "repository.git"))
  const port = await freePort()
  const execArgv = ["--conditions=source", "--no-warnings"]
  const kube = fork(join(HARNESS, "kube-process.ts"), [String(port), TOKEN], { execArgv })
  await say(kube, "up")
  try {
    const reconciler = await openIn(folder, repository, `http://127.0.0.1:${port}`)
    const serverUsage = async () => {
      const { requests } = (await say(kube, "count")) as { requests: number }
      return { requests, cpuSeconds: procUsage(kube.pid).cpuSeconds }
    }
    const result = await use({ repository, reconciler, serverUsage })
    await reconciler.close()
    return result
  } finally {
    kube.disconnect()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A run that has to end so; throws otherwise, and where a target failed. */
export async function reconcileSite(
  reconciler: Reconciler,
  mode: "incremental" | "full",
  expected: string,
): Promise<Awaited<ReturnType<Reconciler["run"]>>> {
  const outcome = await reconciler.run(DEFAULTS.cluster, SOURCE, mode, new AbortController().signal)
  if (outcome.result === expected && outcome.failed.length === 0) return outcome
  throw new Error(
    `reconcile: ${outcome.result}, ${outcome.failed.length} targets failed: ${outcome.failed[0]?.reason}`,
  )
}

async function say(kube: ChildProcess, word: string): Promise<unknown> {
  const answered = once(kube, "message")
  kube.send(word)
  const [answer] = await answered
  return answer
}

async function openIn(
  folder: string,
  { folder: repo, branch, rules }: Pick<BenchRepository, "folder" | "branch" | "rules">,
  url: string,
): Promise<Reconciler> {
  const kubeconfig = join(folder, "kubeconfig")
  const settingsFile = join(folder, "headrace.yaml")
  await writeFile(kubeconfig, embeddedKubeconfig(url, TOKEN))
  const source = { repo, branch, rules, repository: "example/bench", pollSeconds: 60, guard: true }
  const files = { secret: join(folder, "secret"), mirrors: join(folder, "mirrors") }
  const kubeconfigs = new Map([[DEFAULTS.cluster, kubeconfig]])
  await writeFile(settingsFile, localOperatorSettings(source, kubeconfigs, files))
  return openReconciler(await loadOperatorSettings(settingsFile), createLog("bench", { level: "silent" }))
}
