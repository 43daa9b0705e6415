import type { IncomingMessage } from "node:http"
import { ApiFailure, badRequest } from "./api-failure.ts"
import { jsonOf } from "./json-of.ts"
import type { KubeObject } from "./kube-object.ts"
import { managerOf } from "./managed-fields.ts"
import { mergePatch } from "./merge-patch.ts"
import type { ObjectStore, Preconditions } from "./object-store.ts"
import type { ApiPath } from "./parse-api-path.ts"
import { readJsonBody } from "./read-body.ts"
import { apiVersionOf } from "./resource-kind.ts"
import { fieldMatcher, labelMatcher, type Matcher } from "./selectors.ts"

/** An answer in full: everything but a watch. */
export interface ApiAnswer {
  status: number
  /** JSON text. */
  body: string
}

const JSON_TYPES = ["application/json"]

/** What the API calls the request: get, list, watch, create, update, patch, delete; undefined: not allowed here. */
export function verbOf(
  method: string | undefined,
  path: ApiPath,
  query: URLSearchParams,
): string | undefined {
  if (path.name) return verbOnObject(method, path)
  if (method === "POST") return "create"
  if (method !== "GET") return undefined
  return ["1", "true"].includes(query.get("watch") ?? "") ? "watch" : "list"
}

function verbOnObject(method: string | undefined, path: ApiPath): string | undefined {
  // Deleting a namespace is a long process in Kubernetes; nothing of ours does it.
  if (method === "DELETE") return path.kind.namespaced ? "delete" : undefined
  return { GET: "get", PUT: "update", PATCH: "patch" }[method ?? ""]
}

/** Carries out one request against the store. Throws ApiFailure. */
export async function answerRequest(
  store: ObjectStore,
  verb: string,
  path: ApiPath,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<ApiAnswer> {
  const { kind, namespace, name } = path
  if (verb === "get") return ok(store.get(kind, namespace, name))
  if (verb === "list") return list(store, path, query, request.headers.accept)
  const manager = managerOf(request, query)
  if (verb === "create") {
    return { status: 201, body: jsonOf(store.create(kind, namespace, await needBody(request), manager)) }
  }
  if (verb === "update") return update(store, path, await needBody(request), manager)
  if (verb === "patch") return patch(store, path, request, manager)
  const options = (await readJsonBody(request, JSON_TYPES)) as { preconditions?: Preconditions } | undefined
  const removed = store.remove(kind, namespace, name, options?.preconditions)
  const details = { name, kind: kind.resource, uid: removed.metadata.uid }
  return {
    status: 200,
    body: JSON.stringify({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details }),
  }
}

/** Both selectors of a query as one test, with the path's namespace. Throws 400. */
export function queryMatcher(path: ApiPath, query: URLSearchParams): Matcher {
  const byLabel = labelMatcher(query.get("labelSelector"))
  const byField = fieldMatcher(query.get("fieldSelector"))
  const { namespace } = path
  return (object) =>
    (!namespace || object.metadata.namespace === namespace) && byLabel(object) && byField(object)
}

function list(
  store: ObjectStore,
  path: ApiPath,
  query: URLSearchParams,
  accept: string | undefined,
): ApiAnswer {
  const found = store.list(path.kind, path.namespace, queryMatcher(path, query))
  const partial = accept?.includes(";as=PartialObjectMetadataList") === true
  const items = found.map(partial ? metadataJson : jsonOf)
  const head = partial
    ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
    : { kind: `${path.kind.kind}List`, apiVersion: apiVersionOf(path.kind) }
  const metadata = JSON.stringify({ resourceVersion: String(store.resourceVersion) })
  // As kube-apiserver does: it says null for none of these.
  const list = partial && items.length === 0 ? "null" : `[${items.join(",")}]`
  const body = `${JSON.stringify(head).slice(0, -1)},"metadata":${metadata},"items":${list}}`
  return { status: 200, body }
}

function metadataJson({ metadata }: KubeObject): string {
  return JSON.stringify({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata })
}

function update(store: ObjectStore, path: ApiPath, body: unknown, manager: string): ApiAnswer {
  const { kind, namespace, name } = path
  const status = kind.createOnUpdate && !store.has(kind, namespace, name) ? 201 : 200
  return { status, body: jsonOf(store.replace(kind, namespace, name, body, manager)) }
}

async function patch(
  store: ObjectStore,
  path: ApiPath,
  request: IncomingMessage,
  manager: string,
): Promise<ApiAnswer> {
  const body = await readJsonBody(request, ["application/merge-patch+json"])
  if (body === undefined) throw badRequest("a patch needs a body")
  const { kind, namespace, name } = path
  const patched = mergePatch(store.get(kind, namespace, name), body)
  return ok(store.replace(kind, namespace, name, patched, manager))
}

function ok(object: KubeObject): ApiAnswer {
  return { status: 200, body: jsonOf(object) }
}

async function needBody(request: IncomingMessage): Promise<unknown> {
  const body = await readJsonBody(request, JSON_TYPES)
  if (body === undefined) throw new ApiFailure(400, "BadRequest", "the request needs a body")
  return body
}
