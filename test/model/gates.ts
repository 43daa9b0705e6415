import type { Clock } from "@headrace/shared/foundation/clock"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"

/** What the network or the API server may do to one call. */
export type Fault = "none" | "conflict" | "invalid" | "busy" | "broken" | "unheard" | "unanswered" | "past"

/** A call that waits: before it takes effect, or before its answer arrives, or a sleep that may end. */
interface Gate {
  at: "read" | "write" | "answer" | "sleep"
  pass(fault: Fault): void
}

/**
 * A process of the model: real code whose every call to the outside waits at a gate, once before its effect
 * and once before its answer. So it can be paused or killed at any await, and woken late.
 */
export interface Worker {
  kind: "reconcile" | "operator" | "garbage" | "prune"
  /** The name of the cluster that it works in. */
  cluster: string
  gates: Gate[]
  done: boolean
  /** What it threw, when it did. */
  error: unknown
  /** It never comes back, as after SIGKILL. */
  dead: boolean
  /** Calls that are taking effect now: with a real API server that takes a while. */
  flights: Set<Promise<unknown>>
  /** How many more gates open immediately, because the worker runs to its end; 0: each waits for `step`. */
  free: number
  /** Called when `free` is used up. */
  onStuck(): void
  /** Resolved when it is done. */
  ended: Promise<void>
}

/** Starts `work` with gated ports. Its gates open only by `step`. */
export function startWorker(
  kind: Worker["kind"],
  cluster: string,
  work: (worker: Worker) => Promise<unknown>,
): Worker {
  const worker: Worker = {
    kind,
    cluster,
    gates: [],
    done: false,
    error: undefined,
    dead: false,
    flights: new Set(),
    free: 0,
    onStuck() {},
    ended: Promise.resolve(),
  }
  worker.ended = work(worker).then(
    () => {
      worker.done = true
    },
    (error: unknown) => {
      worker.done = true
      worker.error = error
    },
  )
  return worker
}

/**
 * Opens one of a worker's gates, and lets everything run until it waits again. Gives what the call met there, in
 * words; undefined when nothing went wrong, or no gate was closed.
 */
export async function step(worker: Worker, choice: number, fault: Fault): Promise<string | undefined> {
  await settle(worker)
  const gate = worker.gates[choice % Math.max(1, worker.gates.length)]
  if (gate === undefined || worker.dead) return undefined
  worker.gates.splice(worker.gates.indexOf(gate), 1)
  gate.pass(fault)
  await settle(worker)
  return metAt(gate.at, fault)
}

/** What a fault does at a gate: some are for writes alone, and any that comes after the effect loses the answer. */
function metAt(at: Gate["at"], fault: Fault): string | undefined {
  if (fault === "none" || at === "sleep") return undefined
  if (fault === "past") return at === "read" ? "read is answered from the past" : undefined
  if (at === "answer") return "takes effect, its answer is lost"
  if (fault === "unanswered") return undefined
  if (at === "read" && (fault === "conflict" || fault === "invalid")) return undefined
  return `${at} meets ${STATUS[fault]}, without effect`
}

const STATUS: { [fault in Fault]?: string } = {
  conflict: "409",
  invalid: "422",
  busy: "429",
  broken: "500",
  unheard: "a timeout",
}

/** Runs a worker to its end without faults: every gate opens immediately. False when it does not end. */
export async function finish(worker: Worker, limit = 3000): Promise<boolean> {
  if (worker.done || worker.dead) return true
  worker.free = limit
  const stuck = new Promise<void>((resolve) => {
    worker.onStuck = resolve
  })
  for (const gate of worker.gates.splice(0)) gate.pass("none")
  await Promise.race([worker.ended, stuck])
  return worker.done
}

/** Until nothing of the worker can go on: a turn of the event loop after the last call that was in flight. */
async function settle(worker: Worker): Promise<void> {
  do {
    await Promise.allSettled(worker.flights)
    await new Promise((resolve) => setImmediate(resolve))
  } while (worker.flights.size > 0)
}

/**
 * ConfigMaps of a cluster through a worker's gates. `past` gives an object as it was before its last write: the answer of
 * an API server that lags, to a read of one object.
 */
export function gatedKube(
  worker: Worker,
  kube: ConfigMapWriter,
  past: (namespace: string, name: string) => ConfigMap | undefined,
): ConfigMapWriter {
  return {
    get: (namespace, name, signal) =>
      gated(worker, async (fault) =>
        fault === "past" ? past(namespace, name) : kube.get(namespace, name, signal),
      ),
    list: (...args) => gated(worker, () => kube.list(...args)),
    listMetadata: (...args) => gated(worker, () => kube.listMetadata(...args)),
    watch: (...args) => kube.watch(...args),
    otherWriter: (...args) => gated(worker, () => kube.otherWriter(...args)),
    create: (...args) => gated(worker, () => kube.create(...args), true),
    replace: (...args) => gated(worker, () => kube.replace(...args), true),
    remove: (...args) => gated(worker, () => kube.remove(...args), true),
  }
}

/**
 * A repository whose fetches go through a worker's gates; a mirror's other answers are local. Each of them may fail,
 * too: `fails` is asked before every read.
 */
export function gatedRepository(
  worker: Worker,
  repository: SourceRepository,
  fails: () => boolean,
): SourceRepository {
  const failing = failingRepository(repository, fails)
  return { ...failing, fetch: (signal) => gated(worker, () => failing.fetch(signal)) }
}

/** A repository whose reads fail when `fails` says so: git was killed, the disk is slow, the server is away. */
export function failingRepository(repository: SourceRepository, fails: () => boolean): SourceRepository {
  async function read<Result>(call: () => Promise<Result>): Promise<Result> {
    if (fails()) throw new HeadraceError("git/timeout", "git took longer than 60 s")
    return call()
  }
  return {
    ...repository,
    fetch: (signal) => read(() => repository.fetch(signal)),
    seqOf: (...args) => read(() => repository.seqOf(...args)),
    keep: (...args) => read(() => repository.keep(...args)),
    contains: (...args) => read(() => repository.contains(...args)),
    mergeOf: (...args) => read(() => repository.mergeOf(...args)),
    tree: (...args) => read(() => repository.tree(...args)),
    file: (...args) => read(() => repository.file(...args)),
    blobs: (...args) => read(() => repository.blobs(...args)),
  }
}

/** A clock whose sleeps end when the schedule says so. */
export function gatedClock(worker: Worker, now: () => number): Clock {
  return {
    now,
    async sleep() {
      await gate(worker, "sleep")
    },
  }
}

async function gated<Result>(
  worker: Worker,
  call: (fault: Fault) => Promise<Result>,
  write = false,
): Promise<Result> {
  const fault = await gate(worker, write ? "write" : "read")
  refuse(fault, write)
  const flight = call(fault)
  worker.flights.add(flight)
  const result = await flight.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error
    },
  )
  worker.flights.delete(flight)
  if (!["none", "past"].includes(await gate(worker, "answer")))
    throw new KubeError("kube/timeout", "the answer got lost")
  return result()
}

function gate(worker: Worker, at: Gate["at"]): Promise<Fault> {
  if (worker.free > 0) {
    worker.free -= 1
    if (worker.free === 0) worker.onStuck()
    else return Promise.resolve("none")
  }
  return new Promise((resolve) => worker.gates.push({ at, pass: resolve }))
}

function refuse(fault: Fault, write: boolean): void {
  if (fault === "busy") throw new KubeError("kube/too-many-requests", "too many requests", { status: 429 })
  if (fault === "broken") throw new KubeError("kube/unavailable", "internal error", { status: 500 })
  if (fault === "unheard") throw new KubeError("kube/timeout", "no answer")
  if (fault === "conflict" && write) throw new KubeError("kube/conflict", "modified", { status: 409 })
  if (fault === "invalid" && write) throw new KubeError("kube/invalid", "refused", { status: 422 })
}
