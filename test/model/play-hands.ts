import { withoutStamp } from "@headrace/shared/reconcile/target/ownership"
import type { MonitoredCluster } from "./monitored-cluster.ts"
import type { Op } from "./schedule.ts"

const HANDLED = ["ci/alpha", "ops/beta", "ci/tools"]

/** Somebody edits a target by hand: its content, its marks, or all of it. */
export async function playHand(where: MonitoredCluster, op: Extract<Op, { op: "hand" }>): Promise<void> {
  const [namespace = "", name = ""] = (HANDLED[op.target] ?? "").split("/")
  const existing = await where.direct.get(namespace, name)
  if (existing === undefined) {
    if (op.what === "disown") {
      await where.direct.create({ metadata: { namespace, name }, data: { theirs: "x" } })
    }
    return
  }
  if (op.what === "delete") return where.direct.remove(existing)
  if (op.what === "disown") return
  if (op.what === "unmark") {
    await where.direct.replace({ ...existing, metadata: withoutStamp(existing.metadata) })
    return
  }
  const data = { ...existing.data, [op.what === "edit" ? "0.txt" : "stray"]: "v1" }
  const { "0.txt": _, ...others } = existing.binaryData ?? {}
  const binaryData = op.what === "edit" ? others : (existing.binaryData ?? {})
  await where.direct.replace({ ...existing, data, binaryData })
}

/** Somebody deletes a record. */
export async function loseRecord(where: MonitoredCluster, namespace: string, name: string): Promise<boolean> {
  const existing = await where.direct.get(namespace, name)
  if (existing) await where.direct.remove(existing)
  return existing !== undefined
}
