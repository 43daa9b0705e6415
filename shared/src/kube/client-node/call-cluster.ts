import type { KubeConfig } from "@kubernetes/client-node"
import type { RetryPolicy } from "../../foundation/retry.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import { untilAborted } from "../../foundation/until-aborted.ts"
import type { Log } from "../../observe/log.ts"
import type { AnswerLimits } from "../answer-limits.ts"
import { KubeError, noAnswer } from "../kube-error.ts"
import { hadNoEffect, retryTransient } from "../retry-transient.ts"
import {
  type ClusterAnswer,
  type ClusterConnection,
  type ClusterRequest,
  openClusterConnection,
} from "./cluster-connection.ts"
import { kubeErrorOf } from "./kube-error-of.ts"
import type { ClusterAddress } from "./load-kube-config.ts"

export interface ClusterCaller {
  /**
   * Sends a request, with a time limit for each try. `repeatable`: trying again does no harm even if the request had its
   * effect. Throws KubeError, or the reason of the signal.
   */
  call(request: ClusterRequest, repeatable: boolean, signal: AbortSignal | undefined): Promise<ClusterAnswer>
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

  async function once(request: ClusterRequest, signal: AbortSignal | undefined): Promise<ClusterAnswer> {
    const { what } = request
    const limit = startTimeLimit(options.timeLimit, () => noAnswer(what, options.timeLimit), signal)
    try {
      // Credentials are looked for before the request is made, so that its own signal comes too late for them.
      return await untilAborted(connection.send(request, limits, limit.signal), limit.signal)
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

  async function authorised(
    request: ClusterRequest,
    signal: AbortSignal | undefined,
  ): Promise<ClusterAnswer> {
    const used = connection
    try {
      return await once(request, signal)
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== "kube/unauthorized") throw error
    }
    reopening ??= reopen(used).finally(() => {
      reopening = undefined
    })
    await reopening
    return once(request, signal)
  }

  return {
    call: (request, repeatable, signal) =>
      retryTransient(
        options.retry,
        signal,
        () => authorised(request, signal),
        (error) => repeatable || hadNoEffect(error),
      ),
    config: () => connection.config,
    close: () => connection.close(),
  }
}
