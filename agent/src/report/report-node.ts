import { hostname } from "node:os"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import type { NodeReport } from "@headrace/shared/record/node-report"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"
import type { ProjectionStatus } from "../project/projection-status.ts"
import { type LeaseClient, writeNodeLease } from "./node-lease.ts"
import { nodeReport } from "./node-report.ts"

/** How often the statuses are looked at: changes that come together are one write. */
const LOOK_MS = 250
/** A Lease that was not renewed for so many periods is of a node that is gone. */
const PERIODS_COUNTED = 3

export interface ReportPorts {
  client: LeaseClient
  clock: Clock
  log: Log
  projections(): readonly ProjectionStatus[]
  onWrite?(): void
}

/**
 * Reports what this node shows as a Lease, on change and else every so often with jitter, until the signal
 * aborts. A report that cannot be written is tried again with the next look that is due; nothing waits for it.
 */
export async function reportNode(
  settings: AgentSettings,
  ports: ReportPorts,
  signal: AbortSignal,
): Promise<void> {
  const { report, record } = settings
  if (report === undefined) return
  const node = report.node ?? process.env.HEADRACE_NODE_NAME ?? hostname()
  const namespace = report.namespace ?? record?.split("/")[0] ?? "default"
  const place = { namespace, node, seconds: Math.ceil((report.every * PERIODS_COUNTED) / 1000) }
  let written: string | undefined
  let due = 0

  while (!signal.aborted) {
    const now = ports.clock.now()
    const current = nodeReport(node, record, ports.projections())
    const text = JSON.stringify(current)
    if (text !== written || now >= due) {
      const done = await write(current, now)
      if (done) written = text
      due = now + report.every * (done ? 0.75 + Math.random() / 2 : 0.1)
    }
    await ports.clock.sleep(LOOK_MS, signal).catch(() => undefined)
  }

  async function write(current: NodeReport, now: number): Promise<boolean> {
    try {
      await writeNodeLease(ports.client, place, current, now, signal)
      ports.onWrite?.()
      return true
    } catch (error) {
      if (!signal.aborted) ports.log.warn({ error: errorText(error), node }, "cannot report this node")
      return false
    }
  }
}
