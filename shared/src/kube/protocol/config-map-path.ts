import type { Selection } from "../config-map-api.ts"

/** `/api/v1/namespaces/ci/configmaps/x`; `namespace` `""`: all of them, `name` absent: the collection. */
export function configMapPath(namespace: string, name?: string, query?: URLSearchParams): string {
  return objectPath("configmaps", namespace, name, query)
}

/** The same for any resource of the core API. */
export function objectPath(
  resource: string,
  namespace: string,
  name?: string,
  query?: URLSearchParams,
): string {
  const scope = namespace ? `namespaces/${encodeURIComponent(namespace)}/` : ""
  const object = name === undefined ? "" : `/${encodeURIComponent(name)}`
  const text = query?.toString()
  return `/api/v1/${scope}${resource}${object}${text ? `?${text}` : ""}`
}

/** A selection as query parameters, with others beside it. */
export function selectionQuery(selection: Selection, others: Record<string, string> = {}): URLSearchParams {
  const query = new URLSearchParams(others)
  if (selection.labelSelector) query.set("labelSelector", selection.labelSelector)
  if (selection.fieldSelector) query.set("fieldSelector", selection.fieldSelector)
  return query
}
