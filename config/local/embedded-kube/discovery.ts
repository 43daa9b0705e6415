import { apiVersionOf, RESOURCE_KINDS, type ResourceKind } from "./resource-kind.ts"

const VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]

/** Paths that describe the server and its APIs, so that kubectl can talk to it; undefined for any other path. */
export function discoveryAnswer(pathname: string): object | undefined {
  const answers: Record<string, () => object> = {
    "/version": () => ({ major: "1", minor: "33", gitVersion: "v1.33.0-headrace-embedded" }),
    "/api": () => ({ kind: "APIVersions", versions: ["v1"] }),
    "/apis": () => ({ kind: "APIGroupList", apiVersion: "v1", groups: groups() }),
    ...Object.fromEntries(
      RESOURCE_KINDS.map((kind) => {
        const groupVersion = apiVersionOf(kind)
        return [`${kind.group ? "/apis" : "/api"}/${groupVersion}`, () => resourceList(groupVersion)]
      }),
    ),
  }
  return answers[pathname]?.()
}

function groups(): object[] {
  return RESOURCE_KINDS.filter((kind) => kind.group).map((kind) => {
    const version = { groupVersion: apiVersionOf(kind), version: kind.version }
    return { name: kind.group, versions: [version], preferredVersion: version }
  })
}

function resourceList(groupVersion: string): object {
  const resources = RESOURCE_KINDS.filter((kind) => apiVersionOf(kind) === groupVersion).map(describe)
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources }
}

function describe(kind: ResourceKind): object {
  return { name: kind.resource, singularName: "", namespaced: kind.namespaced, kind: kind.kind, verbs: VERBS }
}
