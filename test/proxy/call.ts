import type { IncomingMessage } from "node:http"
import { verbOf } from "@headrace/config/local/embedded-kube/answer-request"
import { type ApiPath, parseApiPath } from "@headrace/config/local/embedded-kube/parse-api-path"

/** A request about ConfigMaps on its way from one of our processes to the API server. */
export interface Call {
  verb: string
  path: ApiPath
  query: URLSearchParams
  /** True: a list without what the objects hold. */
  metadataOnly: boolean
  /** Name of the object; `""` for a list or a watch. */
  name: string
  /**
   * Names the call among those of its process, the same in each run of one scenario: `get ci/alpha 2` is the second
   * read of that ConfigMap.
   */
  point: string
}

/** Reads requests of one process. `ownName` maps a namespace of the server to the name that the process knows. */
export function callReader(ownName: (namespace: string) => string) {
  const counts = new Map<string, number>()
  return function readCall(
    method: string | undefined,
    url: string,
    body: string,
    headers: IncomingMessage["headers"],
  ): Call | undefined {
    const { pathname, searchParams: query } = new URL(url, "http://proxy")
    const path = parseApiPath(pathname)
    if (path?.kind.resource !== "configmaps") return undefined
    const verb = verbOf(method, path, query)
    if (verb === undefined) return undefined
    const name = path.name || (verb === "create" ? nameIn(body) : "")
    const place = `${ownName(path.namespace)}/${name || selectionOf(query)}`
    const count = (counts.get(`${verb} ${place}`) ?? 0) + 1
    counts.set(`${verb} ${place}`, count)
    const metadataOnly = headers.accept?.includes(";as=PartialObjectMetadataList") === true
    return { verb, path, query, metadataOnly, name, point: `${verb} ${place} ${count}` }
  }
}

/** True for a call that changes what the API server holds. */
export function isWrite({ verb }: Pick<Call, "verb">): boolean {
  return ["create", "update", "delete"].includes(verb)
}

function selectionOf(query: URLSearchParams): string {
  return [query.get("labelSelector"), query.get("fieldSelector")].filter(Boolean).join(";") || "*"
}

function nameIn(body: string): string {
  const { metadata } = JSON.parse(body) as { metadata?: { name?: string } }
  return metadata?.name ?? ""
}
