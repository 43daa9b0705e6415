import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"

/** Where a process is cut short: killed instead of a write after so many, or paused before it. */
export interface Cut {
  stopAfter?: number
  pauseBefore?: { writes: number; reached: () => void }
}

/** The process died in the middle of what it did. */
export class Killed extends Error {}

/** A client of a process that is cut short; `paused` gets what lets it go on. */
export function cutShort(
  kube: ConfigMapWriter,
  { stopAfter, pauseBefore }: Cut,
  paused: (() => void)[],
): ConfigMapWriter {
  if (pauseBefore) return pausedBefore(paused, kube, pauseBefore)
  return stopAfter === undefined ? kube : killedAfter(kube, stopAfter)
}

/** What a cluster that does not answer gives. */
export function away(): KubeError {
  return new KubeError("kube/forbidden", "the API server is away")
}

/** A client of a cluster that may be away. */
export function answeringClient(cluster: { kube: ConfigMapWriter; answers: boolean }): ConfigMapWriter {
  return before(cluster.kube, () => {
    if (!cluster.answers) throw away()
  })
}

/** Its process is killed instead of the next write, after so many. */
function killedAfter(kube: ConfigMapWriter, writes: number): ConfigMapWriter {
  let done = 0
  return before(kube, (verb) => {
    if (verb === "read") return
    if (done >= writes) throw new Killed()
    done += 1
  })
}

/** Its process is paused before a write, after so many, until it is woken. */
function pausedBefore(
  paused: (() => void)[],
  kube: ConfigMapWriter,
  { writes, reached }: NonNullable<Cut["pauseBefore"]>,
): ConfigMapWriter {
  let done = 0
  return before(kube, async (verb) => {
    if (verb === "read") return
    done += 1
    if (done !== writes + 1) return
    const woken = new Promise<void>((resolve) => paused.push(resolve))
    reached()
    await woken
  })
}

function before(
  kube: ConfigMapWriter,
  act: (verb: "read" | "write") => void | Promise<void>,
): ConfigMapWriter {
  function after<Args extends unknown[], Result>(
    verb: "read" | "write",
    call: (...args: Args) => Promise<Result>,
  ) {
    return async (...args: Args): Promise<Result> => {
      await act(verb)
      return call(...args)
    }
  }
  return {
    ...kube,
    get: after("read", kube.get),
    list: after("read", kube.list),
    listMetadata: after("read", kube.listMetadata),
    create: after("write", kube.create),
    replace: after("write", kube.replace),
    remove: after("write", kube.remove),
  }
}
