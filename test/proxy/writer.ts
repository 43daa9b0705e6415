import { setTimeout as delay } from "node:timers/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { ReconcileOutcome, ReconcilePorts, ReconcileRequest } from "@headrace/shared/reconcile/run/ports"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { CLUSTERS, NAMESPACES, RULES_PATH } from "../model/model-rules.ts"
import { FIRST_SETTINGS, GUARD } from "../model/model-settings.ts"
import type { Source } from "../model/model-sources.ts"
import { newProgram, timeOf } from "../model/programs.ts"
import type { Door, DoorOptions } from "./door.ts"
import { startProcess } from "./process.ts"
import type { Site } from "./site.ts"

/** A process that reconciles, with a memory of its own that outlasts each run. */
export interface Writer {
  door: Door
  ports(source: Source): ReconcilePorts
  /** One run. Gives the error that the network caused, if any; undefined where the process was killed. */
  reconcile(
    source: Source,
    mode: ReconcileRequest["mode"],
  ): Promise<ReconcileOutcome | HeadraceError | undefined>
  /** Aborted when the process is killed. */
  signal: AbortSignal
  isKilled(): boolean
  close(): void
}

/** What a process that was killed throws here, where it would throw nothing. */
const KILLED = new Error("killed")
/** Long enough that another process can be first. */
const WAIT_MS = 1

/** Starts a process that knows nothing yet, on the way that these options make worse. */
export async function startWriter(
  site: Site,
  options: Pick<DoorOptions, "perturb" | "countsEarlier"> = {},
): Promise<Writer> {
  const { simulation } = site
  const life = new AbortController()
  const { kube, door, close } = await startProcess(site, {
    ...options,
    onWrite: site.onWrite,
    onShut: () => life.abort(KILLED),
  })
  const program = newProgram(FIRST_SETTINGS)
  const clock = {
    now: () => timeOf(simulation, program),
    sleep: (_: number, signal?: AbortSignal) => delay(WAIT_MS, undefined, { signal }),
  }
  function portsFor(source: Source): ReconcilePorts {
    return reconcilePorts({
      kube,
      repository: simulation.repositories[source],
      rulesRepository: simulation.rules[source],
      clock,
      memory: program.memories[source],
      settings: {
        rulesPath: RULES_PATH,
        allowForcePush: simulation.allowForcePush,
        guard: GUARD,
        clusters: new Map(CLUSTERS.map((name) => [name, { namespaces: NAMESPACES }])),
      },
    })
  }
  const portsOf: Readonly<Record<Source, ReconcilePorts>> = {
    release: portsFor("release"),
    tools: portsFor("tools"),
  }
  return {
    door,
    ports: (source) => portsOf[source],
    async reconcile(source, mode) {
      const request = { cluster: site.cluster.name, source, mode }
      try {
        return await simulation.subject.reconcile(request, portsOf[source], life.signal)
      } catch (error) {
        if (life.signal.aborted) return undefined
        if (error instanceof HeadraceError) return error
        throw error
      }
    },
    signal: life.signal,
    isKilled: () => life.signal.aborted,
    close,
  }
}

/** What came of a run, for a trace. */
export function reconcileText(outcome: Awaited<ReturnType<Writer["reconcile"]>>): string {
  if (outcome === undefined) return "killed"
  return outcome instanceof HeadraceError ? outcome.code : outcome.result
}
