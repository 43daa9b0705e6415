import { listTargets } from "@headrace/shared/record/walk-index"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { Inputs } from "../assemble/inputs.ts"
import { type ProjectionStatus, problemOf } from "../report/projection-status.ts"
import { followLatest } from "../watch/follow-latest.ts"
import type { Latest } from "../watch/latest.ts"
import { createProjection, type Projection } from "./projection.ts"
import {
  checkTargetNames,
  namedProjections,
  type ProjectionSpec,
  projectedTargets,
  targetProjection,
} from "./projection-spec.ts"
import type { ProjectionPorts } from "./projection-work.ts"
import { runProjection, untilStopped } from "./run-projection.ts"

/** All projections of an agent, those that the record adds later too. */
export interface ProjectionSet {
  /** In order of first appearance. */
  statuses(): ProjectionStatus[]
  /** True when every consumer was notified of what is shown. */
  isTold(): boolean
  /** Names of the store objects that any of them needs to know again. */
  used(): Set<string>
  /** Shows each new record everywhere until the signal aborts; every projection goes its own pace. */
  run(signal: AbortSignal): Promise<void>
}

/** `inputs` gives what was read last; `settings` which projections there are. */
export function createProjectionSet(
  settings: AgentSettings,
  inputs: Latest<Inputs>,
  ports: ProjectionPorts,
): ProjectionSet {
  const projections = new Map<string, Projection>()
  const running: Promise<void>[] = []
  let discovery: ProjectionStatus | undefined

  function start(spec: ProjectionSpec, signal: AbortSignal): void {
    if (projections.has(spec.path)) return
    const projection = createProjection(spec, ports)
    projections.set(spec.path, projection)
    running.push(runProjection(projection, inputs, ports, signal))
  }

  async function discover(every: NonNullable<AgentSettings["everyTarget"]>, signal: AbortSignal) {
    const status: ProjectionStatus = {
      name: "everyTarget",
      path: every.path,
      ofRecord: false,
      current: false,
    }
    discovery = status
    async function startAll({ record }: Inputs): Promise<void> {
      const takes = record !== undefined && ports.takes?.(record) === true
      // The targets that a candidate adds are tried with it.
      const root = (takes ? record.candidate?.root : undefined) ?? record?.root ?? null
      const listed = root === null ? [] : await listTargets(root, ports.store.index)
      const targets = listed.map(({ namespace, name }) => `${namespace}/${name}`)
      checkTargetNames(targets)
      for (const target of [...targets, ...(await projectedTargets(every.path))]) {
        start(targetProjection(every, target, ports.store), signal)
      }
      status.current = root !== null
      status.isFound = status.current || projections.size > 0
      status.problem = undefined
      ports.onStatus?.()
    }
    function failed(error: unknown): void {
      status.current = false
      status.problem = problemOf(error, status.problem, new Date(ports.clock.now()).toISOString())
      ports.onStatus?.()
    }
    await followLatest(inputs, startAll, failed, ports.clock, signal)
  }

  return {
    statuses() {
      const shown = [...projections.values()].map((projection) => projection.status())
      return discovery ? [...shown, discovery] : shown
    },
    isTold: () => [...projections.values()].every((projection) => projection.isTold()),
    used: () => new Set([...projections.values()].flatMap((projection) => [...projection.used()])),
    async run(signal) {
      for (const spec of namedProjections(settings, ports.store)) start(spec, signal)
      if (settings.everyTarget) running.push(untilStopped(discover(settings.everyTarget, signal), signal))
      // Discovery adds to the list while we wait: look again until nobody is left.
      for (let done = 0; done < running.length; ) {
        const found = running.slice(done)
        done += found.length
        await Promise.all(found)
      }
    },
  }
}
