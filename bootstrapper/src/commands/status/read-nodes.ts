import { KubeError } from "@headrace/shared/kube/kube-error"
import type { Lease, LeaseReader } from "@headrace/shared/kube/lease-api"
import { REPORT_SELECTOR } from "@headrace/shared/record/node-report"

/**
 * The Leases that agents report with. Null where they may not be listed (a Role from before there were
 * reports): everything else can be shown without them. Throws KubeError.
 */
export async function readNodes(
  kube: LeaseReader,
  namespace: string,
  signal: AbortSignal,
): Promise<Lease[] | null> {
  try {
    return await kube.listLeases(namespace, REPORT_SELECTOR, signal)
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/forbidden") return null
    throw error
  }
}
