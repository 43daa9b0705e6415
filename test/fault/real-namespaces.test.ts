import { request } from "node:https"
import { systemClock } from "@headrace/shared/foundation/clock"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { adoptTarget } from "@headrace/shared/reconcile/operate/adopt-target"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { expect, it } from "vitest"
import { type RealKube, realKubeMissing, withRealKube } from "../harness/real-kube.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { modelRepository } from "../model/model-repository.ts"

const never = new AbortController().signal
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
    n/*.txt: {name: gamma, clusters: {east: [missing]}}
    t/*.txt: {name: eps, clusters: {east: [dying]}}
    i/*.txt: {name: immu, clusters: {east: [ci]}}
`
const FILES = {
  "rules.yaml": RULES,
  "a/x.txt": "new",
  "b/x.txt": "new",
  "n/x.txt": "1",
  "t/x.txt": "1",
  "i/x.txt": "2",
}
const PROW = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
const HOLD = ["example.com/hold"]
const CONFIG_MAPS = "/api/v1/namespaces/ci/configmaps"

interface Answer {
  metadata: { uid: string; ownerReferences?: unknown[]; finalizers?: string[]; deletionTimestamp?: string }
  data?: Record<string, string>
}

/** A request past everything of ours. */
function ask({ url, token }: RealKube, method: string, path: string, body?: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" }
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, rejectUnauthorized: false, headers }, (answer) => {
      const chunks: Buffer[] = []
      answer.on("data", (chunk: Buffer) => chunks.push(chunk))
      answer.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString("utf8"))))
    })
    sent.on("error", reject)
    sent.end(body && JSON.stringify(body))
  })
}

it.skipIf(realKubeMissing() !== undefined)(
  `on a real API server a missing and an ending namespace, and a dying ConfigMap, cost their targets alone${whySkipped(realKubeMissing())}`,
  () =>
    withRealKube(async (kube) => {
      for (const name of ["ci", "headrace", "dying"])
        await ask(kube, "POST", "/api/v1/namespaces", { metadata: { name } })
      const { metadata } = await ask(kube, "POST", CONFIG_MAPS, { metadata: { name: "owner" } })
      const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: metadata.uid }]
      for (const name of ["alpha", "beta"]) {
        const marks = { name, labels: PROW, ownerReferences, finalizers: HOLD }
        await ask(kube, "POST", CONFIG_MAPS, { metadata: marks, data: { "x.txt": "old" } })
      }
      const immutable = {
        metadata: { name: "immu", labels: PROW },
        immutable: true,
        data: { "x.txt": "old" },
      }
      await ask(kube, "POST", CONFIG_MAPS, immutable)
      await ask(kube, "DELETE", "/api/v1/namespaces/dying")
      await ask(kube, "DELETE", `${CONFIG_MAPS}/beta`)

      const log = createLog("test", { level: "silent" })
      const client = await connectCluster("east", { kubeconfig: kube.kubeconfigFile }, log)
      const adopting = adoptTarget(
        { kube: client, clock: systemClock },
        "release",
        { namespace: "ci", name: "beta" },
        never,
      )
      await expect(adopting).rejects.toMatchObject({ code: "adopt/terminating" })
      const repository = modelRepository(new Map(Object.entries(FILES)))
      const ports = reconcilePorts({ kube: client, repository, clock: systemClock })
      const outcome = await reconcile(
        { cluster: "east", source: "release", mode: "incremental" },
        ports,
        never,
      )
      client.close()

      expect(outcome).toMatchObject({ result: "applied", stopped: null })
      const reasons = new Map(outcome.failed.map(({ target, reason }) => [target, reason]))
      expect([...reasons.keys()].sort()).toEqual(["ci/beta", "ci/immu", "dying/eps", "missing/gamma"])
      expect(reasons.get("ci/beta")).toMatch(/^reconcile\/terminating: /)
      expect(reasons.get("missing/gamma")).toMatch(/namespaces "missing" not found/)
      expect(reasons.get("dying/eps")).toMatch(/being terminated|not found/)
      expect(reasons.get("ci/immu")).toMatch(/immutable/)
      const alpha = await ask(kube, "GET", `${CONFIG_MAPS}/alpha`)
      expect(alpha.data?.["x.txt"]).toBe("new")
      expect(alpha.metadata).toMatchObject({ ownerReferences, finalizers: HOLD })
      const beta = await ask(kube, "GET", `${CONFIG_MAPS}/beta`)
      expect(beta.data).toEqual({ "x.txt": "old" })
      expect(beta.metadata.deletionTimestamp).toBeDefined()
    }),
  180_000,
)
