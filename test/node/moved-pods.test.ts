import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Manifest } from "../deployment/build-manifests.ts"
import { applyManifests, kubectl } from "../deployment/kubectl.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { block, type Container, container } from "../moving/manifest-blocks.ts"
import { type KubeNode, kubeNodeMissing, startKubeNode } from "./kube-node.ts"
import { giveImages } from "./node-images.ts"

const missing = kubeNodeMissing()
const PATIENCE_MS = 120_000
const SHARED = "shared-"
/** As the charts run both programs. */
const USER = { runAsUser: 65533, runAsGroup: 65533, fsGroup: 65533 }

/** The manifests of docs/moving-from with image and command changed, as Pods beside a consumer of their volume. */
describe.skipIf(missing)(`Pods that moved over${whySkipped(missing)}`, { timeout: 600_000 }, () => {
  let node: KubeNode
  let repo: TestRepo
  let url: string
  let end: () => Promise<void>

  beforeAll(async () => {
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const all = withRepo((made) =>
      withGitServer(made.folder, async (server) => {
        node = await startKubeNode()
        try {
          repo = made
          url = server.url
          await repo.commit({ "dags/a.py": "1", file: "1" })
          await giveImages(node, ["agent"])
          await applyManifests(node.kubeconfig, CLUSTER)
          opened.resolve()
          await ended.promise
        } finally {
          await node.stop()
        }
      }),
    )
    all.catch(opened.reject)
    end = async () => {
      ended.resolve()
      await all
    }
    await opened.promise
  }, 900_000)

  afterAll(() => end?.(), 300_000)

  const onNode = (...args: string[]) => kubectl(node.kubeconfig, ...args)

  /** Runs a Pod of a page's manifest; `use` gets what reads a path of the consumer's container. */
  async function withPod(
    page: string,
    name: string,
    use: (read: (path: string) => Promise<string | undefined>) => Promise<void>,
  ): Promise<void> {
    const after = container(block(page, `after=${name}`))
    const isInit = block(page, `after=${name}`).includes("initContainers:")
    await applyManifests(node.kubeconfig, [podOf(name, after, isInit, url)])
    try {
      await onNode("--namespace=monitoring", "wait", "--for=condition=Ready", `pod/${name}`, "--timeout=2m")
      const uid = await onNode(
        "--namespace=monitoring",
        "get",
        "pod",
        name,
        "--output=jsonpath={.metadata.uid}",
      )
      const [pid] = await node.processesOf(uid, "sleep 1000000")
      await use((path) => readFile(join(`/proc/${pid}/root`, path), "utf8").catch(() => undefined))
    } finally {
      // Those that serve a port have the same one, in the node's network.
      await onNode("--namespace=monitoring", "delete", "pod", name)
    }
  }

  async function untilIs(read: () => Promise<string | undefined>, text: string): Promise<void> {
    await until(async () => (await read()) === text, PATIENCE_MS)
  }

  it("airflow: the DAG folder is there before the consumer starts", () =>
    withPod("git-sync.md", "airflow", async (read) => {
      expect(await read("/git/repo/dags/a.py")).toBe("1")
    }))

  it("deck: the consumer's folder follows the branch", () =>
    withPod("git-sync.md", "deck", async (read) => {
      await untilIs(() => read("/var/run/git-sync/release/dags/a.py"), "1")
      await repo.commit({ "dags/a.py": "2" })
      await untilIs(() => read("/var/run/git-sync/release/dags/a.py"), "2")
      expect((await fetch(`http://${node.ip}:4180/metrics`)).status).toBe(200)
    }))

  it("sidecar: the hook runs in the folder that the consumer sees", () =>
    withPod("git-sync.md", "sidecar", async (read) => {
      await untilIs(() => read("/tmp/git/html/file"), "1")
      await until(async () => (await read("/tmp/git/hooked"))?.startsWith("1 ") ?? false, PATIENCE_MS)
      // Hook and touch file follow the publish side by side.
      await until(async () => (await read("/tmp/git/synced")) !== undefined, PATIENCE_MS)
    }))

  it("dashboards: ConfigMaps and Secrets of every namespace, later ones too", () =>
    withPod("k8s-sidecar.md", "dashboards", async (read) => {
      await untilIs(() => read("/tmp/dashboards/one.json"), "{}")
      await untilIs(() => read("/tmp/dashboards/team/two.json"), "[]")
      const later = objectOf("ConfigMap", "apps/later", { grafana_dashboard: "1" }, { "later.json": "{}" })
      await applyManifests(node.kubeconfig, [later])
      await untilIs(() => read("/tmp/dashboards/later.json"), "{}")
    }))

  it("rules: of two namespaces, by unique names", () =>
    withPod("k8s-sidecar.md", "rules", async (read) => {
      await untilIs(() => read("/rules/namespace_apps.configmap_rules.r.yaml"), "apps")
      expect(await read("/rules/namespace_monitoring.configmap_rules.r.yaml")).toBe("monitoring")
      expect(await read("/rules/namespace_default.configmap_rules.r.yaml")).toBeUndefined()
    }))

  it("secrets: are there before the consumer starts", () =>
    withPod("k8s-sidecar.md", "secrets", async (read) => {
      expect(await read("/etc/grafana/provisioning/datasources/db.yaml")).toBe("secret")
    }))
})

function podOf(name: string, moved: Container, isInit: boolean, url: string): Manifest {
  const here = JSON.parse(
    JSON.stringify(moved).replaceAll(/https:\/\/example\.com\/org\/[a-z]+\.git/g, url),
  ) as Container
  const { volumeMounts } = here
  const consumer = {
    name: "consumer",
    image: "busybox:1.37",
    command: ["sleep", "1000000"],
    volumeMounts: volumeMounts.map((mount) => ({ ...mount, readOnly: true })),
  }
  const ours = { ...here, imagePullPolicy: "IfNotPresent" }
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "monitoring" },
    spec: {
      serviceAccountName: "reader",
      hostNetwork: true,
      terminationGracePeriodSeconds: 5,
      securityContext: USER,
      ...(isInit ? { initContainers: [ours], containers: [consumer] } : { containers: [ours, consumer] }),
      volumes: volumeMounts.map((mount) =>
        mount.name === "hooks"
          ? { name: "hooks", configMap: { name: `${SHARED}hooks`, defaultMode: 0o755 } }
          : { name: mount.name, emptyDir: name === "secrets" ? { medium: "Memory" } : {} },
      ),
    },
  }
}

function objectOf(
  kind: "ConfigMap" | "Secret",
  place: string,
  labels: Record<string, string>,
  data: Record<string, string>,
  annotations: Record<string, string> = {},
): Manifest {
  const [namespace = "", name = ""] = place.split("/")
  const content = kind === "Secret" ? { stringData: data } : { data }
  return {
    apiVersion: "v1",
    kind,
    metadata: { namespace, name, labels, annotations } as Manifest["metadata"],
    ...content,
  }
}

/** What the Pods find in the cluster, and may read of it. */
const CLUSTER: Manifest[] = [
  ...["monitoring", "apps"].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "reader", namespace: "monitoring" } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "reader" },
    rules: [{ apiGroups: [""], resources: ["configmaps", "secrets"], verbs: ["get", "list", "watch"] }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "reader" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "reader" },
    subjects: [{ kind: "ServiceAccount", name: "reader", namespace: "monitoring" }],
  },
  objectOf(
    "ConfigMap",
    `monitoring/${SHARED}hooks`,
    {},
    {
      reload: '#!/bin/sh\necho "$(cat file) $GITSYNC_HASH" > /tmp/git/hooked\n',
    },
  ),
  objectOf("ConfigMap", "default/one", { grafana_dashboard: "1" }, { "one.json": "{}" }),
  objectOf(
    "Secret",
    "apps/two",
    { grafana_dashboard: "1" },
    { "two.json": "[]" },
    { grafana_folder: "team" },
  ),
  ...["monitoring", "apps", "default"].map((namespace) =>
    objectOf("ConfigMap", `${namespace}/rules`, { loki_rule: "" }, { "r.yaml": namespace }),
  ),
  objectOf("Secret", "monitoring/db", { grafana_datasource: "x" }, { "db.yaml": "secret" }),
]
