import type { SourceRepository } from "@headrace/shared/git/source-repository"
import { createReconcileMemory } from "@headrace/shared/reconcile/reconcile-memory"
import { indexReader } from "@headrace/shared/reconcile/store-objects"
import { forEachPlace } from "../for-each-place.ts"
import { printPlaces } from "../print-places.ts"
import type { StatusOptions } from "../status.ts"
import { type BranchTip, type PlaceStatus, placeStatus } from "./place-status.ts"

const SHORT = 12

/** Runs `status`; gives the exit code: 1 when a cluster could not be asked. */
export async function runStatus(options: StatusOptions, signal: AbortSignal): Promise<number> {
  const results = await forEachPlace(
    options,
    signal,
    async (reconciler, { cluster, source }, { namespace }) => {
      const ports = await reconciler.ports(cluster, source)
      const tip = options.fetch ? await branchTip(ports.repository, signal) : undefined
      const fetchIndex = indexReader(ports, createReconcileMemory(), signal)
      return placeStatus(ports.kube, { namespace, source }, tip, fetchIndex, signal)
    },
  )
  return printPlaces(results, options.output, statusText)
}

async function branchTip(repository: SourceRepository, signal: AbortSignal): Promise<BranchTip> {
  const { commit, seq } = await repository.fetch(signal)
  return { commit, seq, seqOf: (of) => repository.seqOf(of, signal) }
}

/** A place's status in lines: the first says what it is, the others what is worth a look. */
export function statusText(status: PlaceStatus): string {
  if (status.state === "absent") return "nothing yet"
  const lag = status.behind ? `, ${status.behind} commits behind ${short(status.tip)}` : ""
  const size = status.store
    ? `, ${status.store.files} files of ${status.store.targets} ConfigMaps, ${status.store.bytes} bytes`
    : ""
  const lines = [`${status.state} at ${short(status.commit)}${lag}${size}`]
  const { hold, stopped } = status
  if (hold) {
    lines.push(`held at ${short(hold.commit)} by ${hold.by} until ${hold.until ?? "release"}: ${hold.reason}`)
  }
  if (stopped) lines.push(`stopped at ${short(stopped.commit)}: ${stopped.message} [${stopped.code}]`)
  for (const { commit, targets } of status.intents)
    lines.push(`${short(commit)} under way: ${targets} targets`)
  for (const { target, reason, since } of status.failed)
    lines.push(`${target} failed since ${since}: ${reason}`)
  if (status.failedMore > 0) lines.push(`and ${status.failedMore} more failed`)
  return lines.join("\n  ")
}

function short(commit: string | null): string {
  return commit?.slice(0, SHORT) ?? "nothing"
}
