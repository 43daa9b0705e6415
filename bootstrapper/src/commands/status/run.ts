import { systemClock } from "@headrace/shared/foundation/clock"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { indexReader } from "@headrace/shared/reconcile/store/read-store"
import type { ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"
import { readTimeLimit } from "../../cli/read-time-limit.ts"
import { commitText, untilLive, type WantedChange } from "./commit-status.ts"
import { readLateness } from "./read-lateness.ts"
import { type BranchTip, sourceStatus } from "./source-status.ts"
import { statusText } from "./status-text.ts"

export interface StatusOptions extends ClusterSourceOptions {
  fetch: boolean
  commit?: string
  pr?: string
  wait: boolean
  timeLimit: string
  redisUrlFile?: string
}

/** Runs `status`; gives the exit code: 1 when a cluster could not be asked. */
export async function runStatus(options: StatusOptions, signal: AbortSignal): Promise<number> {
  const latenessOf = await readLateness(options)
  const results = await forEachClusterSource(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace, programsNamespace }) => {
      const ports = await reconciler.ports(cluster, source)
      const kube = await reconciler.kube(cluster)
      const tip = options.fetch ? await branchTip(ports.repository, signal) : undefined
      const fetchIndex = indexReader(ports, createReconcileMemory(), signal)
      const status = await sourceStatus(
        kube,
        { namespace, programsNamespace, source },
        tip,
        fetchIndex,
        signal,
      )
      const lane = latenessOf({ cluster, source })
      return lane ? { ...status, lane } : status
    },
  )
  return printResults(results, options.output, statusText)
}

/** Runs `status --commit` or `--pr`; gives the exit code: 1 when it is not live everywhere. */
export async function runCommitStatus(
  options: StatusOptions,
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<number> {
  const limit = readTimeLimit(options.timeLimit)
  const deadline = systemClock.now() + (options.wait ? limit : 0)
  const results = await forEachClusterSource(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace, programsNamespace }) => {
      const { repository, clock } = await reconciler.ports(cluster, source)
      const ports = { kube: await reconciler.kube(cluster), repository, clock }
      return untilLive(ports, { namespace, programsNamespace, source }, wanted, deadline, signal)
    },
  )
  const exitCode = printResults(results, options.output, commitText)
  return results.every((one) => one.ok && one.result.live) ? exitCode : 1
}

async function branchTip(repository: SourceRepository, signal: AbortSignal): Promise<BranchTip> {
  const { commit, seq } = await repository.fetch(signal)
  return { commit, seq, seqOf: (of) => repository.seqOf(of, signal) }
}
