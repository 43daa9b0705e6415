import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { createLog } from "@headrace/shared/observe/log"
import { approveCommit } from "@headrace/shared/reconcile/operate/approve-commit"
import { findOrphans, pruneOrphans } from "@headrace/shared/reconcile/operate/find-orphans"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { loadAll } from "js-yaml"
import { expect, it } from "vitest"
import { rawRequest } from "../contract/raw-request.ts"
import { kubeconfigFor } from "../harness/kubeconfig-for.ts"
import { type RealKube, realKubeMissing, withRealKube } from "../harness/real-kube.ts"
import { quiet, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import type { Manifest } from "./build-manifests.ts"

const log = createLog("test", { level: "silent" })
const ACCESS = join(import.meta.dirname, "../../config/base/writer/access.yaml")
const STORE = "headrace-store"
const PLACE = { cluster: "east", source: "release" }
const BETA = "    b/*.txt: {name: beta, clusters: {east: [ci]}}\n"
const RULES = `config_updater:\n  maps:\n    a/*.txt: {name: alpha, clusters: {east: [ci]}}\n${BETA}`
const RBAC = "/apis/rbac.authorization.k8s.io/v1"

interface Role extends Manifest {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
}

async function accessObjects(): Promise<Manifest[]> {
  return loadAll(await readFile(ACCESS, "utf8")) as Manifest[]
}

/** The verbs for ConfigMaps of a role of config/. */
function verbsOf(objects: readonly Manifest[], kind: string, name: string, namespace?: string): string[] {
  const found = objects.find(
    ({ kind: of, metadata }) => of === kind && metadata.name === name && metadata.namespace === namespace,
  ) as Role | undefined
  return (found?.rules ?? [])
    .filter(({ resources }) => resources.includes("configmaps"))
    .flatMap(({ verbs }) => verbs)
}

/** Prunes with the writer's account, refused at first, and then with what `bindPruner` adds. */
async function pruneWith(kube: ConfigMapWriter, bindPruner: () => Promise<void>): Promise<void> {
  const files = { "a/x.txt": "a", "b/x.txt": "b" }
  const here = reconcileFixture(files, {
    rules: RULES,
    settings: { namespace: STORE, clusters: new Map([["east", { namespaces: ["ci"] }]]) },
    changeKube: () => kube,
  })
  expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
  const commit = here.commit({ "rules.yaml": RULES.replace(BETA, "") })
  await approveCommit({ ...here.ports, namespace: STORE, source: "release" }, commit, quiet)
  const outcome = await here.run()
  const ports = { ...here.ports, memory: createReconcileMemory() }
  const { found } = await findOrphans(ports, PLACE, quiet, outcome)
  expect(found.map(({ name }) => name)).toEqual(["beta"])
  await expect(pruneOrphans(kube, found, quiet)).rejects.toMatchObject({
    code: "orphans/may-not-remove",
    hint: "Bind the ClusterRole headrace-view-pruner in namespace ci.",
  })
  expect(await kube.get("ci", "beta")).toBeDefined()
  await bindPruner()
  // An API server takes a binding for true after a moment.
  await until(() =>
    pruneOrphans(kube, found, quiet).then(
      (removed) => removed.join() === "ci/beta",
      () => false,
    ),
  )
  expect(await kube.get("ci", "beta")).toBeUndefined()
}

it("headrace-view-pruner has exactly the rights that prune needs beside the writer's", async () => {
  const objects = await accessObjects()
  const granted = new Map([
    [STORE, new Set(verbsOf(objects, "Role", "headrace-writer", STORE))],
    ["ci", new Set(verbsOf(objects, "ClusterRole", "headrace-view-writer"))],
  ])
  const written = new Set(granted.get("ci"))
  const used = new Set<string>()
  function allow(verb: string, namespace: string): void {
    if (!granted.get(namespace)?.has(verb))
      throw new KubeError("kube/forbidden", `configmaps is forbidden: ${verb} in ${namespace}`, {
        status: 403,
      })
    if (namespace === "ci") used.add(verb)
  }
  const server = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const kube: ConfigMapWriter = {
    ...server,
    async get(namespace, ...more) {
      allow("get", namespace)
      return server.get(namespace, ...more)
    },
    async listMetadata(namespace, ...more) {
      allow("list", namespace)
      return server.listMetadata(namespace, ...more)
    },
    async create(configMap, signal) {
      allow("create", configMap.metadata.namespace)
      return server.create(configMap, signal)
    },
    async replace(configMap, signal) {
      allow("update", configMap.metadata.namespace)
      return server.replace(configMap, signal)
    },
    async remove(configMap, signal) {
      allow("delete", configMap.metadata.namespace)
      return server.remove(configMap, signal)
    },
  }
  const pruner = verbsOf(objects, "ClusterRole", "headrace-view-pruner")
  await pruneWith(kube, async () => {
    granted.set("ci", new Set([...written, ...pruner]))
  })
  expect([...used].filter((verb) => !written.has(verb))).toEqual(pruner)
})

it.skipIf(realKubeMissing() !== undefined)(
  `a real API server lets prune remove with headrace-view-pruner, and not without it${whySkipped(realKubeMissing())}`,
  { timeout: 400_000 },
  () =>
    withFolder((folder) =>
      withRealKube(async (kube) => {
        for (const name of ["headrace", STORE, "ci"])
          await post(kube, "/api/v1/namespaces", { metadata: { name } })
        const objects = await accessObjects()
        for (const one of objects) await post(kube, collectionOf(one), one)
        const bind = (name: string) =>
          post(kube, `${RBAC}/namespaces/ci/rolebindings`, {
            metadata: { name },
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name },
            subjects: [{ kind: "ServiceAccount", name: "headrace-writer", namespace: "headrace" }],
          })
        await bind("headrace-view-writer")
        const tokens = "/api/v1/namespaces/headrace/serviceaccounts/headrace-writer/token"
        const { status } = await post(kube, tokens, { spec: {} })
        const { token } = status as { token: string }
        const kubeconfig = await readFile(kube.kubeconfigFile, "utf8")
        const authority = join(dirname(kube.kubeconfigFile), "certs/apiserver.crt")
        const server = { server: kube.url, "certificate-authority": authority }
        const file = await kubeconfigFor({ kubeconfig }, folder, { token }, server)
        const client = await connectCluster("east", { kubeconfig: file }, log)
        try {
          const may = (namespace: string) =>
            client.get(namespace, "none").then(
              () => true,
              () => false,
            )
          await until(async () => (await may(STORE)) && (await may("ci")))
          await pruneWith(client, async () => void (await bind("headrace-view-pruner")))
        } finally {
          client.close()
        }
      }),
    ),
)

function collectionOf({ kind, metadata: { namespace } }: Manifest): string {
  const group = kind === "ServiceAccount" ? "/api/v1" : RBAC
  return `${group}${namespace === undefined ? "" : `/namespaces/${namespace}`}/${kind.toLowerCase()}s`
}

async function post(kube: RealKube, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await rawRequest(kube, "POST", path, body)
  if (answer.status === 201) return answer.body
  throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
}
