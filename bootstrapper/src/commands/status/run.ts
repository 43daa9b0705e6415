import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import { placeText } from "@headrace/shared/reconcile/run/cluster-plan"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { indexReader } from "@headrace/shared/reconcile/store/read-store"
import type { ClusterSource, ClusterSourceOptions } from "../../cli/cluster-source-options.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"
import { readTimeLimit } from "../../cli/read-time-limit.ts"
import { commitText, untilLive, type WantedChange } from "./commit-status.ts"
import { readLateness } from "./read-lateness.ts"
import { type BranchTip, type SourceStatus, sourceStatus } from "./source-status.ts"
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
      const orphans =
        status.state === "absent" ? {} : await orphansOf(reconciler, { cluster, source }, signal)
      const lane = latenessOf({ cluster, source })
      return { ...status, ...orphans, ...(lane ? { lane } : {}) }
    },
  )
  return printResults(results, options.output, statusText)
}

/** Never a failure: everything else of the status is shown without it. */
async function orphansOf(
  reconciler: Reconciler,
  { cluster, source }: ClusterSource,
  signal: AbortSignal,
): Promise<Pick<SourceStatus, "orphans" | "orphansUnknown">> {
  try {
    const { found, unknown } = await reconciler.orphans(cluster, source, signal)
    if (unknown === undefined) return { orphans: found.map(placeText) }
    return { orphans: null, orphansUnknown: unknown }
  } catch (error) {
    signal.throwIfAborted()
    return { orphans: null, orphansUnknown: errorText(error) }
  }
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
