import { dirname, join } from "node:path"
import type { Inputs } from "../assemble/inputs.ts"
import { RECORD_HISTORY } from "../assemble/source.ts"
import { siblingStore } from "../layout/open-layout.ts"
import { createNotifier } from "../notify/notifier.ts"
import type { ProjectionStatus } from "../report/projection-status.ts"
import { conditionOf, pinnedOf } from "./condition.ts"
import { createLastParts } from "./last-parts.ts"
import { createOriginGuard } from "./origin-guard.ts"
import { createProjectionHealth } from "./projection-health.ts"
import { reportFailure } from "./projection-progress.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { ProjectionPorts, ProjectionWork } from "./projection-work.ts"
import { createRecordFloor } from "./record-floor.ts"
import { show } from "./show-projection.ts"

/** One projection at work; its folder is opened, and locked, at first use. */
export interface Projection {
  status(): ProjectionStatus
  /**
   * Shows what the inputs say: assembles, publishes, writes down what it knows of the store. Throws what prevents it; what is published
   * stays.
   */
  show(inputs: Inputs, signal: AbortSignal): Promise<void>
  /** True when another process has moved what was shown since: a rollback by the command line. Show it again. */
  isMoved(): Promise<boolean>
  /** Puts the reason for a failed show, and what disk shows all the same, into the status and the log. */
  failed(error: unknown, attempt: number): void
  /** Notifies consumers until the signal aborts. */
  notify(signal: AbortSignal): Promise<unknown>
  /**
   * Checks what is shown until the signal aborts. `showAgain` is called when a candidate of a rollout fails: what was
   * given to `show` last is to be given again.
   */
  check(showAgain: () => void, signal: AbortSignal): Promise<unknown>
  /** True when every consumer was notified of what is shown. */
  isTold(): boolean
  /** Names of the store objects that it needs to know again: of what it shows, or did in an earlier run. */
  used(): Iterable<string>
  close(): Promise<void>
}

export function createProjection(spec: ProjectionSpec, ports: ProjectionPorts): Projection {
  const log = ports.log.child({ projection: spec.name })
  const { name, path, ofRecord } = spec
  const followsRecord = spec.sources.some(({ history }) => history === RECORD_HISTORY)
  const known = knownFolder(spec)
  const work: ProjectionWork = {
    spec,
    ports,
    log,
    known,
    recordFloor:
      ports.maxAge !== undefined && followsRecord ? createRecordFloor(known, ports.maxAge, log) : undefined,
    lastParts: createLastParts(known, spec.permissions, log),
    guard: createOriginGuard(path, spec.guard, ports.clock),
    began: ports.clock.now(),
    status: { name, path, ofRecord, followsRecord, current: false },
    health: createProjectionHealth(spec, {
      clock: ports.clock,
      log,
      onChange: () => ports.onStatus?.(),
      onFailing: () => work.showAgain(),
      onRun: ports.onCheck,
    }),
    showAgain: () => undefined,
    notifiers: spec.notify.map((settings, index) =>
      createNotifier(settings, {
        clock: ports.clock,
        log,
        onDelivered: (notice, way) => ports.traces?.notified(notice, index, way),
      }),
    ),
    folder: undefined,
    learnt: new Map(),
    assembled: undefined,
    published: undefined,
    notified: undefined,
    newest: undefined,
  }
  return {
    status: () => ({ ...work.status, unnotified: unsettled(work), health: work.health.state() }),
    check(showAgain, checking) {
      work.showAgain = showAgain
      return work.health.run(checking)
    },
    show: (inputs, signal) => show(work, inputs, signal),
    isMoved: () => isMoved(work),
    failed: (error, attempt) => reportFailure(work, error, attempt),
    notify: (signal) => Promise.all(work.notifiers.map((notifier) => notifier.run(signal))),
    used: () => (work.assembled?.used ?? work.learnt).keys(),
    isTold: () => unsettled(work) === 0,
    close: async () => work.folder?.close(),
  }
}

function unsettled({ notifiers }: ProjectionWork): number {
  return notifiers.filter((notifier) => !notifier.isSettled()).length
}

/** Looks at what readers see, and puts what is wrong with it into status and log at once. */
async function isMoved(work: ProjectionWork): Promise<boolean> {
  const { folder, status, ports, log } = work
  if (folder === undefined || status.shown === undefined) return false
  const { condition, damage } = await conditionOf(folder, () => (status.current ? status.shown : undefined))
  const pinned = pinnedOf(folder, status.pinned)
  if (pinned !== status.pinned) {
    status.pinned = pinned
    ports.onStatus?.()
  }
  // A show that fails is tried again in any case; one that has returned from a candidate is at rest.
  const isShown = status.current || status.problem?.code === "projection/returned"
  if (damage !== undefined && damage !== status.damage) {
    log.warn({ condition }, "what readers see is not what was published; publishing it again")
    status.current = false
  }
  if (damage !== status.damage) {
    status.damage = damage
    ports.onStatus?.()
  }
  return isShown && condition !== "right"
}

/** Where to write down what is known of the store: hidden, and never in what a consumer sees swapped. */
function knownFolder({ path, layout, workFolder }: ProjectionSpec): string {
  if (workFolder !== undefined) return join(workFolder, "known")
  return layout === "links" ? `${path}/..known` : join(dirname(path), siblingStore(path), "known")
}
