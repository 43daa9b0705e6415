import type { ConfigurationOptions, CoreV1Api, KubeConfig } from "@kubernetes/client-node"
import type { RetryPolicy } from "../../foundation/retry.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import { untilAborted } from "../../foundation/until-aborted.ts"
import type { Log } from "../../observe/log.ts"
import type { AnswerLimits } from "../answer-limits.ts"
import { KubeError, noAnswer } from "../kube-error.ts"
import { hadNoEffect, retryTransient } from "../retry-transient.ts"
import { type ClusterConnection, callOptions, openClusterConnection } from "./cluster-connection.ts"
import { kubeErrorOf } from "./kube-error-of.ts"
import type { ClusterAddress } from "./load-kube-config.ts"

type Call<T> = (api: CoreV1Api, options: ConfigurationOptions) => Promise<T>

export interface ClusterCaller {
  /**
   * One call, with a time limit for each try. `repeatable`: trying again does no harm even if the call had its
   * effect. Throws KubeError, or the reason of the signal.
   */
  call<T>(what: string, repeatable: boolean, signal: AbortSignal | undefined, call: Call<T>): Promise<T>
  config(): KubeConfig
  close(): void
}

/** Opens the way to one cluster. A credential that is refused makes it read the kubeconfig again, once per call. */
export async function openClusterCaller(
  name: string,
  address: ClusterAddress,
  log: Log,
  options: { timeLimit: number; retry: RetryPolicy; limits: AnswerLimits },
): Promise<ClusterCaller> {
  const { limits } = options
  const open = () => openClusterConnection(name, address, limits.list)
  let connection = await open()
  let reopening: Promise<void> | undefined

  async function once<T>(what: string, signal: AbortSignal | undefined, call: Call<T>): Promise<T> {
    const limit = startTimeLimit(options.timeLimit, () => noAnswer(what, options.timeLimit), signal)
    try {
      // Credentials are looked for before the request is made, so that its own signal comes too late for them.
      return await untilAborted(call(connection.api, callOptions(what, limits, limit.signal)), limit.signal)
    } catch (error) {
      limit.signal.throwIfAborted()
      throw kubeErrorOf(what, error)
    } finally {
      limit.end()
    }
  }

  /** Once for all calls that were refused with the same credential. */
  async function reopen(refused: ClusterConnection): Promise<void> {
    if (refused !== connection) return
    log.info({ cluster: name }, "credential refused, reading the kubeconfig again")
    connection = await open()
    refused.close()
  }

  async function authorised<T>(what: string, signal: AbortSignal | undefined, call: Call<T>): Promise<T> {
    const used = connection
    try {
      return await once(what, signal, call)
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== "kube/unauthorized") throw error
    }
    reopening ??= reopen(used).finally(() => {
      reopening = undefined
    })
    await reopening
    return once(what, signal, call)
  }

  return {
    call: (what, repeatable, signal, call) =>
      retryTransient(
        options.retry,
        signal,
        () => authorised(what, signal, call),
        (error) => repeatable || hadNoEffect(error),
      ),
    config: () => connection.config,
    close: () => connection.close(),
  }
}
