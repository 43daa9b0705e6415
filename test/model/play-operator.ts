import { HeadraceError } from "@headrace/shared/foundation/errors"
import { adoptTarget, detachSource } from "@headrace/shared/reconcile/operate/adopt-target"
import { approveCommit } from "@headrace/shared/reconcile/operate/approve-commit"
import { holdSource, releaseSource, rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
import { startWorker, type Worker } from "./gates.ts"
import { NAMESPACES } from "./model-rules.ts"
import { OWN_NAMESPACE, type Source } from "./model-sources.ts"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import { back } from "./play-git.ts"
import type { Command } from "./schedule.ts"
import { NEVER, type Simulation } from "./simulation.ts"
import { freshProgram, portsOf } from "./start-workers.ts"

/** The targets that the model's rules may give each source. */
const TARGETS: { readonly [source in Source]: readonly string[] } = {
  release: ["ci/alpha", "ops/beta", "ci/gamma"],
  tools: ["ci/tools", "ci/kit"],
}
const HOLD_MS = 3_600_000

/** Starts an operator's command, whose every call waits at a gate like a worker's. */
export function startCommand(simulation: Simulation, cluster: MonitoredCluster, command: Command): Worker {
  const source = command.tools ? "tools" : "release"
  return startOperator(simulation, cluster, source, command.op, async (ports) => {
    const commit = back(simulation.repositories[source], command.back)
    const until = new Date(simulation.now + HOLD_MS).toISOString()
    const hold = { commit, by: "model", reason: "schedule", until }
    if (command.op === "hold") await holdSource(ports, hold, NEVER)
    if (command.op === "rewind") await rewindSource(ports, hold, NEVER)
    if (command.op === "release") await releaseSource(ports, NEVER)
    if (command.op === "approve") await approveCommit(ports, commit, NEVER)
    if (command.op === "detach") {
      const place = { namespace: OWN_NAMESPACE, source, namespaces: NAMESPACES }
      await detachSource(ports, place, NEVER)
    }
    if (command.op === "adopt") {
      const targets = TARGETS[source]
      const [namespace = "", name = ""] = (targets[command.back % targets.length] ?? "").split("/")
      await adoptTarget(ports, source, { namespace, name }, NEVER)
    }
  })
}

/** A process of an operator's, with the ports that commands need. */
export function startOperator(
  simulation: Simulation,
  cluster: MonitoredCluster,
  source: Source,
  name: string,
  work: (ports: Parameters<typeof rewindSource>[0]) => Promise<unknown>,
): Worker {
  return startWorker("operator", cluster.name, async (worker) => {
    const ports = portsOf(simulation, cluster, source, worker, freshProgram(simulation))
    try {
      await work({ ...ports, namespace: OWN_NAMESPACE, source })
      simulation.tally.count(`operator: ${name}`)
    } catch (error) {
      const code = error instanceof HeadraceError ? error.code : String(error)
      simulation.tally.count(`operator: ${name} ends with ${code}`)
      throw error
    }
  })
}
