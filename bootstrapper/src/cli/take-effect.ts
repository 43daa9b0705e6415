import { errorText } from "@headrace/shared/foundation/errors"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { failedResult, type LaneResult, laneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import { createLog } from "@headrace/shared/observe/log"
import type { Reconciler } from "@headrace/shared/reconcile/open-reconciler"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { applyThroughLanes } from "./apply-through-lanes.ts"
import type { ClusterSource } from "./cluster-source-options.ts"
import type { EffectFlags } from "./effect-flags.ts"
import { readTimeLimit } from "./read-time-limit.ts"
import { keepWord, placeForWord, type SpokenWord, untilObeyed } from "./say-word.ts"

/** What came of an operator's word in one cluster, after it was recorded. */
export interface Effect {
  /**
   * `recorded`: no Redis is configured, so nothing was woken; `woken`: the lane looks, and nobody waited for it; `late`:
   * it did not answer in time, and looks on; `waits`: the word is for a program with the key, and none has answered yet;
   * otherwise the result of the reconcile that followed.
   */
  effect: "recorded" | "woken" | "late" | "waits" | LaneResult["result"]
  /** What the record shows then; undefined where nobody waited. */
  commit?: string | null
  failed?: LaneResult["failed"]
  error?: LaneResult["error"]
}

/** Lets what was recorded happen, in any number of clusters. */
export interface Effects {
  take(
    reconciler: Reconciler,
    settings: OperatorSettings,
    place: ClusterSource,
    signal: AbortSignal,
  ): Promise<Effect>
  /**
   * On a machine without the signing key, where the settings take words: keeps the word, wakes the lane and waits as `take`
   * does until a program with the key has obeyed. Undefined: the record can be changed here. Throws `words/refused`, `kube/…`.
   */
  say(
    reconciler: Reconciler,
    settings: OperatorSettings,
    place: ClusterSource,
    word: SpokenWord,
    signal: AbortSignal,
  ): Promise<Effect | undefined>
  close(): Promise<void>
}

/**
 * Opens what lets an operator's word take effect: a wake-up of the lane, whose worker (or this program, when there is
 * none) reconciles at once. Where Redis cannot be used this program reconciles directly, which is safe beside any
 * worker: the record's token orders them.
 */
export function openEffects(flags: EffectFlags): Effects {
  const wait = flags.wait ?? process.stdout.isTTY === true
  const timeLimit = readTimeLimit(flags.timeLimit)
  const log = createLog("bootstrapper", { level: flags.logLevel, destination: process.stderr })
  let opening: Promise<Lanes | undefined> | undefined
  let noted = ""

  async function open(settings: OperatorSettings): Promise<Lanes | undefined> {
    const redis = await findRedisUrl(settings.redis, flags.redisUrlFile, process.env)
    return redis === undefined
      ? undefined
      : openLanes({ redis, prefix: settings.redis.prefix, mostReply: settings.bounds.redisReply, log })
  }

  async function directly(
    reconciler: Reconciler,
    { cluster, source }: ClusterSource,
    signal: AbortSignal,
  ): Promise<Effect> {
    try {
      return effectOf(laneResult(await reconciler.run(cluster, source, "incremental", signal)))
    } catch (error) {
      signal.throwIfAborted()
      return effectOf(failedResult(error))
    }
  }

  async function throughLane(
    lanes: Lanes,
    reconciler: Reconciler,
    { cluster, source }: ClusterSource,
    signal: AbortSignal,
  ): Promise<Effect> {
    const why = { mode: "incremental", reason: "operator" } as const
    if (!wait) {
      await wakeLanes(lanes, [cluster], [source], why)
      return { effect: "woken" }
    }
    const options = { lanes, clusters: [cluster], sources: [source], ...why, timeLimit, log }
    const openReconciler = async () => reconciler
    const [applied] = await applyThroughLanes({ ...options, openReconciler }, signal)
    return applied?.result === undefined ? { effect: "late" } : effectOf(applied.result)
  }

  function note(reason: string): void {
    if (reason === noted) return
    noted = reason
    process.stderr.write(`${reason}: done here, without the lanes\n`)
  }

  return {
    async take(reconciler, settings, place, signal) {
      try {
        opening ??= open(settings)
        const lanes = await opening
        if (lanes === undefined) return wait ? directly(reconciler, place, signal) : { effect: "recorded" }
        return await throughLane(lanes, reconciler, place, signal)
      } catch (error) {
        signal.throwIfAborted()
        note(errorText(error))
        return directly(reconciler, place, signal)
      }
    },
    async say(reconciler, settings, { cluster, source }, word, signal) {
      const kube = await reconciler.kube(cluster)
      const namespace = await placeForWord(kube, settings)
      if (namespace === undefined) return undefined
      const kept = await keepWord(kube, { namespace, source }, word, signal)
      try {
        opening ??= open(settings)
        const lanes = await opening
        if (lanes) await wakeLanes(lanes, [cluster], [source], { mode: "incremental", reason: "operator" })
      } catch (error) {
        signal.throwIfAborted()
        process.stderr.write(`${errorText(error)}: the next poll finds the word\n`)
      }
      if (!wait) return { effect: "waits" }
      return { effect: (await untilObeyed(kube, kept, timeLimit, signal)) ? "applied" : "waits" }
    },
    async close() {
      const lanes = await opening?.catch(() => undefined)
      await lanes?.close()
    },
  }
}

function effectOf({ result, commit, failed, error }: LaneResult): Effect {
  return { effect: result, commit, failed, error }
}

/** True unless a cluster was waited for, and did not come to what was asked of it. */
export function hasTakenEffect({ effect }: Effect): boolean {
  return !["late", "failed", "stopped", "waits"].includes(effect)
}

/** What an effect adds to the line of its cluster: nothing, when the rest of the line says it. */
export function effectText({ effect, failed, error }: Effect): string {
  if (effect === "recorded") return "; no Redis is configured: the next apply, poll or webhook acts on it"
  if (effect === "woken") return "; its lane is woken"
  if (effect === "waits")
    return "; the word waits for a program with the key: the plugin, or the next hourly run"
  if (effect === "late") return "; not in effect yet, its lane is at work: see status"
  const targets = (failed ?? []).map(({ target, reason }) => `\n  ${target}: ${reason}`)
  const why = error ? `\n  ${effect}: ${error.message} [${error.code}]` : ""
  return `${why}${targets.join("")}`
}
