import { hostname } from "node:os"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { NodeReport } from "@headrace/shared/record/node-report"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { waitOrNewer } from "../watch/follow-latest.ts"
import type { Latest } from "../watch/latest.ts"
import { type LeaseClient, openNodeLease, podIdentity } from "./node-lease.ts"
import { nodeReport } from "./node-report.ts"
import type { ProjectionStatus } from "./projection-status.ts"
import type { RolloutNode } from "./rollout-report.ts"

/** Changes that come together, of several projections at one record, are one write. */
const SETTLE_MS = 100
/** Between two writes: at a revision a second a thousand nodes must not write more than that. */
const GAP_MS = 1000
/** While this node shows a candidate, a rollout waits for reports that it is still healthy. */
const TRIED_EVERY_MS = 5_000
/** A pod that ends has no time to wait for an API server that is away. */
const REMOVE_MS = 3000
/** A Lease that was not renewed for so many periods is of a node that is gone. */
const PERIODS_COUNTED = 3

/** What reports and traces call this node. */
export function nodeName(settings: Pick<AgentSettings, "report">): string {
  return givenNodeName(settings) ?? hostname()
}

/** The name that somebody gave this node; undefined: only the host's own, which a Pod does not keep. */
export function givenNodeName({ report }: Pick<AgentSettings, "report">): string | undefined {
  return report?.node ?? (process.env.HEADRACE_NODE_NAME || undefined)
}

export interface ReportPorts {
  client: LeaseClient
  clock: Clock
  log: Log
  projections(): readonly ProjectionStatus[]
  /** What the record and the settings say of rollouts here; absent: nothing. */
  rollout?(): RolloutNode
  /** Set whenever a projection's status has changed. */
  changes: Latest<true>
  onWrite?(): void
}

/**
 * Reports what this node shows as a Lease, on change and otherwise every so often with jitter, until the signal
 * aborts. A report that cannot be written is tried again after a while; nothing waits for it.
 */
export async function reportNode(
  settings: AgentSettings,
  ports: ReportPorts,
  signal: AbortSignal,
): Promise<void> {
  const { report, record } = settings
  if (report === undefined) return
  const node = nodeName(settings)
  const namespace =
    report.namespace ?? process.env.HEADRACE_REPORT_NAMESPACE ?? record?.split("/")[0] ?? "default"
  const seconds = Math.ceil((report.every * PERIODS_COUNTED) / 1000)
  const place = { namespace, node, seconds, owner: podIdentity(namespace) }
  const lease = openNodeLease(ports.client, place)
  const { clock, changes } = ports
  const longest = report.every
  let written = clock.now()
  let tried: string | undefined
  let due = clock.now()
  let seen = 0

  /** Waits for what is worth a look: a change, or a report that is due. */
  async function untilNews(): Promise<void> {
    // A clock that was set back must not keep a node silent.
    if (due - clock.now() > longest * 2) due = clock.now()
    await waitOrNewer(Math.max(due - clock.now(), SETTLE_MS), changes, seen, clock, signal)
    await clock.sleep(SETTLE_MS, signal)
  }

  async function reportNews(): Promise<void> {
    seen = changes.current()?.version ?? 0
    const projections = ports.projections()
    const current = nodeReport(node, record, projections, ports.rollout?.())
    const text = JSON.stringify(current)
    const now = clock.now()
    const isTrying = projections.some(({ isCandidate }) => isCandidate)
    if (isTrying) due = Math.min(due, written + TRIED_EVERY_MS)
    const every = isTrying ? Math.min(TRIED_EVERY_MS, longest) : longest
    if (text === tried && now < due) return
    const done = await write(current, now)
    tried = text
    written = now
    due = now + every * (done ? 0.75 + Math.random() / 2 : 0.1)
    await clock.sleep(GAP_MS, signal)
  }

  async function write(current: NodeReport, now: number): Promise<boolean> {
    try {
      await lease.write(current, now, signal)
      ports.onWrite?.()
      return true
    } catch (error) {
      if (!signal.aborted) ports.log.warn({ err: errorText(error), node }, "cannot report this node")
      return false
    }
  }

  async function remove(): Promise<void> {
    await lease.remove(AbortSignal.timeout(REMOVE_MS)).catch((error: unknown) => {
      ports.log.warn({ err: errorText(error), node }, "cannot remove this node's Lease")
    })
  }

  try {
    while (!signal.aborted) {
      await untilNews()
      await reportNews()
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  if (report.removeAtEnd) await remove()
}
