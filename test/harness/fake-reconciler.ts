import { setTimeout as delay } from "node:timers/promises"
import type { PluginReconciler } from "@headrace/plugin/work/plugin-reconciler"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { ReconcileOutcome } from "@headrace/shared/reconcile/run/ports"
import { newRecord } from "@headrace/shared/record/record"

/**
 * A branch and clusters without git and Kubernetes: commits are numbers written as ids, each the parent of the
 * next, and reconciling shows a cluster the tip as of when it began.
 */
export class FakeBranch implements PluginReconciler {
  /** The number of the tip. */
  tipNumber = 1
  /** What each cluster shows of each source: `cluster/source` to a commit's number. */
  readonly shown = new Map<string, number>()
  /** `cluster/source` of every reconcile that began. */
  readonly runs: string[] = []
  /** Clusters that cannot be reached. */
  readonly down = new Set<string>()
  /** Most that ran in one cluster at once. */
  most = 0
  readonly #running = new Map<string, number>()
  readonly #milliseconds: number

  constructor(milliseconds = 1) {
    this.#milliseconds = milliseconds
  }

  /** Merges: the branch has one more commit. Gives its id. */
  merge(): string {
    this.tipNumber++
    return commitId(this.tipNumber)
  }

  async run(
    cluster: string,
    source: string,
    _mode: "incremental" | "full",
    signal: AbortSignal,
  ): Promise<ReconcileOutcome> {
    const goal = this.tipNumber
    this.runs.push(`${cluster}/${source}`)
    const running = (this.#running.get(cluster) ?? 0) + 1
    this.#running.set(cluster, running)
    this.most = Math.max(this.most, running)
    try {
      await delay(this.#milliseconds, undefined, { signal })
      if (this.down.has(cluster)) throw new Error(`${cluster} does not answer`)
      this.shown.set(`${cluster}/${source}`, Math.max(goal, this.shown.get(`${cluster}/${source}`) ?? 0))
      return applied(goal)
    } finally {
      this.#running.set(cluster, (this.#running.get(cluster) ?? 1) - 1)
    }
  }

  async tip(): Promise<string> {
    return commitId(this.tipNumber)
  }

  async isBehind(cluster: string, source: string, tip: string): Promise<boolean> {
    return commitId(this.shown.get(`${cluster}/${source}`) ?? 0) !== tip
  }

  async touched(): Promise<readonly TouchedTarget[]> {
    return []
  }

  async contained(_source: string, commit: string, shas: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(shas.filter((sha) => sha <= commit))
  }
}

/** A commit id that sorts by number. */
export function commitId(number: number): string {
  return number.toString(16).padStart(40, "0")
}

function applied(number: number): ReconcileOutcome {
  return {
    result: "applied",
    record: newRecord("fake", { epoch: 0, seq: number }),
    commit: commitId(number),
    token: { epoch: 0, seq: number },
    stopped: null,
    heldUntil: null,
    written: 1,
    failed: [],
    foreign: [],
    stages: { fetch: 0, plan: 0, store: 0, view: 0, record: 0 },
  }
}
