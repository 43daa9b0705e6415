import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { localOperatorSettings, SOURCE } from "@headrace/config/local/local-settings"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler, type Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { REAL_BRANCH, REAL_RULES, realHistoryBundle, realHistoryMissing } from "../harness/test-data.ts"
import { quantile } from "./quantile.ts"

const FILES = 10_000
const FOLDERS = 100
const RUNS = 15
const CLUSTER = "default"

/** One changed file among 10,000; and the real history's tip rebuilt from nothing. */
export async function run(): Promise<Record<string, number>> {
  return { ...(await oneOfTenThousand()), ...(await realTip()) }
}

async function oneOfTenThousand(): Promise<Record<string, number>> {
  const folder = temporaryFolder("headrace-bench-")
  const repo = join(folder, "repository")
  const git = (...args: string[]) =>
    execFileSync("git", [
      "-C",
      repo,
      "-c",
      "user.name=bench",
      "-c",
      "user.email=bench@example.invalid",
      ...args,
    ])
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", repo])
  // Partitioned over 20 ConfigMaps, as a user with that many files must.
  const names = Array.from({ length: 20 }, (_, index) => `jobs-${index}`).join(", ")
  const rule = `partitioned_names: [${names}], use_full_path_as_key: true, gzip: true`
  writeFileSync(join(repo, "rules.yaml"), `config_updater:\n  maps:\n    "jobs/**/*.yaml": {${rule}}\n`)
  for (let index = 0; index < FILES; index++) write(repo, index, "first")
  git("add", "--all")
  git("commit", "--quiet", "-m", "all")
  return withReconciler(
    { folder, repo, branch: "main", rules: "rules.yaml", cluster: CLUSTER },
    async (reconciler) => {
      const signal = new AbortController().signal
      await reconciler.run(CLUSTER, SOURCE, "incremental", signal)
      const beyond: number[] = []
      for (let round = 0; round < RUNS; round++) {
        write(repo, round * 7, `round ${round}`)
        git("commit", "--quiet", "--all", "-m", `round ${round}`)
        const start = performance.now()
        const outcome = await reconciler.run(CLUSTER, SOURCE, "incremental", signal)
        if (outcome.result !== "applied") throw new Error(`reconcile: ${outcome.result}`)
        beyond.push(performance.now() - start - outcome.stages.fetch)
      }
      return {
        "reconcile 1 of 10,000 files, beyond the fetch, p50 ms": quantile(beyond, 0.5),
        "reconcile 1 of 10,000 files, beyond the fetch, worst ms": quantile(beyond, 1),
      }
    },
  )
}

async function realTip(): Promise<Record<string, number>> {
  const missing = realHistoryMissing()
  if (missing) {
    process.stdout.write(`  real tip ${missing}\n`)
    return {}
  }
  const folder = temporaryFolder("headrace-bench-")
  const repo = join(folder, "repository.git")
  execFileSync("git", ["clone", "--quiet", "--bare", "--branch", REAL_BRANCH, realHistoryBundle(), repo])
  const cluster = "test-infra-trusted"
  return withReconciler(
    { folder, repo, branch: REAL_BRANCH, rules: REAL_RULES, cluster },
    async (reconciler) => {
      const start = performance.now()
      const outcome = await reconciler.run(cluster, SOURCE, "full", new AbortController().signal)
      if (outcome.result !== "applied") throw new Error(`reconcile: ${outcome.result}`)
      return { "full rebuild of the real history's tip, clone included, ms": performance.now() - start }
    },
  )
}

async function withReconciler(
  options: { folder: string; repo: string; branch: string; rules: string; cluster: string },
  use: (reconciler: Reconciler) => Promise<Record<string, number>>,
): Promise<Record<string, number>> {
  const kube = await startEmbeddedKube({ token: "bench", createNamespaces: true })
  const kubeconfig = join(options.folder, "kubeconfig")
  const settingsFile = join(options.folder, "headrace.yaml")
  writeFileSync(kubeconfig, kube.kubeconfig)
  const source = { ...options, repository: "example/bench", pollSeconds: 60 }
  const clusters = [options.cluster, "k8s-infra-prow-build-trusted"]
  const kubeconfigs = new Map(clusters.map((name) => [name, kubeconfig]))
  const files = { secret: join(options.folder, "secret"), mirrors: join(options.folder, "mirrors") }
  writeFileSync(settingsFile, localOperatorSettings(source, kubeconfigs, files))
  const reconciler = await openReconciler(
    await loadOperatorSettings(settingsFile),
    createLog("bench", { level: "silent" }),
  )
  try {
    return await use(reconciler)
  } finally {
    await reconciler.close()
    await kube.close()
    rmSync(options.folder, { recursive: true, force: true })
  }
}

function write(repo: string, index: number, text: string): void {
  const folder = join(repo, "jobs", `d${index % FOLDERS}`)
  mkdirSync(folder, { recursive: true })
  const lines = Array.from({ length: 20 }, (_, line) => `  field-${line}: value ${index * 31 + line}`)
  writeFileSync(join(folder, `job-${index}.yaml`), `name: job-${index}\nnote: ${text}\n${lines.join("\n")}\n`)
}
