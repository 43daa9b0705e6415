import { KubeError } from "@headrace/shared/kube/kube-error"
import type { Lease, LeaseReader } from "@headrace/shared/kube/lease-api"
import { REPORT_SELECTOR } from "@headrace/shared/record/node-report"

/** A source's record, and where else agents report. */
export interface RecordAddress {
  namespace: string
  programsNamespace: string
  source: string
}

/**
 * The Leases that agents report with, in each of these namespaces. Null where they may not be listed (a Role from before there were
 * reports): everything else can be shown without them. Throws KubeError.
 */
export async function readNodes(
  kube: LeaseReader,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<Lease[] | null> {
  try {
    const unique = [...new Set(namespaces)]
    const lists = unique.map((namespace) => kube.listLeases(namespace, REPORT_SELECTOR, signal))
    return (await Promise.all(lists)).flat()
  } catch (error) {
    if (error instanceof KubeError && error.code === "kube/forbidden") return null
    throw error
  }
}
