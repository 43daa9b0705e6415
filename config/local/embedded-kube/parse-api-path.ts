import { apiVersionOf, RESOURCE_KINDS, type ResourceKind } from "./resource-kind.ts"

/** What a path of the API names. */
export interface ApiPath {
  kind: ResourceKind
  /** `""`: all namespaces, or a kind that has none. */
  namespace: string
  /** `""`: the collection. */
  name: string
}

/** `/api/v1/namespaces/ci/configmaps/x` taken apart; undefined when it names nothing that is served. */
export function parseApiPath(pathname: string): ApiPath | undefined {
  for (const kind of RESOURCE_KINDS) {
    const root = `${kind.group ? "/apis" : "/api"}/${apiVersionOf(kind)}/`
    const found = pathname.startsWith(root) && parseBelow(kind, pathname.slice(root.length))
    if (found) return found
  }
  return undefined
}

function parseBelow(kind: ResourceKind, path: string): ApiPath | undefined {
  const parts = path.split("/").map(decodeURIComponent)
  if (!kind.namespaced) return atResource(kind, "", parts)
  if (parts[0] === kind.resource && parts.length === 1) return { kind, namespace: "", name: "" }
  if (parts[0] !== "namespaces" || !parts[1]) return undefined
  return atResource(kind, parts[1], parts.slice(2))
}

function atResource(kind: ResourceKind, namespace: string, parts: string[]): ApiPath | undefined {
  const [resource, name = ""] = parts
  return resource === kind.resource && parts.length <= 2 ? { kind, namespace, name } : undefined
}
