import type { Selection } from "../config-map-api.ts"
import { FIELD_MANAGER } from "./other-writer.ts"

const CORE = "/api/v1"

/** `/api/v1/namespaces/ci/configmaps/x`; `namespace` `""`: all of them, `name` absent: the collection. */
export function configMapPath(namespace: string, name?: string, query?: URLSearchParams): string {
  return objectPath("configmaps", namespace, name, query)
}

/** The same for Leases. */
export function leasePath(namespace: string, name?: string, query?: URLSearchParams): string {
  return objectPath("leases", namespace, name, query, "/apis/coordination.k8s.io/v1")
}

/** The same for any resource of the core API, or of another. */
export function objectPath(
  resource: string,
  namespace: string,
  name?: string,
  query?: URLSearchParams,
  api = CORE,
): string {
  const scope = namespace ? `namespaces/${encodeURIComponent(namespace)}/` : ""
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`
  const text = query?.toString()
  return `${api}/${scope}${resource}${object}${text ? `?${text}` : ""}`
}

/** A selection as query parameters, with others beside it. */
export function selectionQuery(selection: Selection, others: Record<string, string> = {}): URLSearchParams {
  const query = new URLSearchParams(others)
  if (selection.labelSelector) query.set("labelSelector", selection.labelSelector)
  if (selection.fieldSelector) query.set("fieldSelector", selection.fieldSelector)
  return query
}

/** The query of one page of a list: `size` 0 is all of it, `token` `""` the first. */
export function pageQuery(selection: Selection, size: number, token: string): URLSearchParams {
  return selectionQuery(selection, {
    ...(size > 0 ? { limit: String(size) } : {}),
    ...(token ? { continue: token } : {}),
  })
}

/** The query of what we write: the fields are then ours in managedFields. */
export function writerQuery(): URLSearchParams {
  return new URLSearchParams({ fieldManager: FIELD_MANAGER })
}
