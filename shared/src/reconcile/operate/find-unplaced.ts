import { problemText } from "../../foundation/problem.ts"
import { fetchTips } from "../decide/desired-revision.ts"
import { unplacedAt } from "../decide/plan-at.ts"
import { loadRecord } from "../record/swap-record.ts"
import { createReconcileMemory } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { SourceRevision } from "../run/revision.ts"

/**
 * What the rules at the commit that the record shows ask for in clusters that the operator did not list, as
 * texts for people. None while nothing is shown.
 */
export async function findUnplaced(
  ports: ReconcilePorts,
  source: string,
  signal: AbortSignal,
): Promise<string[]> {
  const state = await loadRecord(ports.kube, ports.settings.namespace, source, signal)
  if (state === undefined || state.record.commit === null) return []
  const { commit, rulesCommit } = state.record
  // The record may be another program's work, at a commit that our mirror has not seen yet.
  if (!(await isKnown(ports, { commit, rulesCommit }, signal))) await fetchTips(ports, signal)
  const problems = await unplacedAt(
    ports,
    ports.memory ?? createReconcileMemory(),
    { commit, rulesCommit },
    signal,
  )
  return problems.map(problemText)
}

async function isKnown(
  { repository, rulesRepository }: ReconcilePorts,
  { commit, rulesCommit }: SourceRevision,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await repository.seqOf(commit, signal)) === undefined) return false
  return rulesCommit === null || (await rulesRepository.seqOf(rulesCommit, signal)) !== undefined
}
