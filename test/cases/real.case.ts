import { request } from "node:https"
import { systemClock } from "@headrace/shared/foundation/clock"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { adoptTarget } from "@headrace/shared/reconcile/operate/adopt-target"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { withRealKube } from "../harness/real-kube.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { modelRepository } from "../model/model-repository.ts"

const q = new AbortController().signal
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
    n/*.txt: {name: gamma, clusters: {east: [missing]}}
    q/*.txt: {name: delta, clusters: {east: [full]}}
    t/*.txt: {name: eps, clusters: {east: [dying]}}
    i/*.txt: {name: immu, clusters: {east: [ci]}}
`
it("real", async () => {
  await withRealKube(async (kube) => {
    const api = (method: string, path: string, body?: object): Promise<any> =>
      new Promise((res, rej) => {
        const r = request(
          kube.url + path,
          {
            method,
            rejectUnauthorized: false,
            headers: {
              authorization: `Bearer ${kube.token}`,
              "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
            },
          },
          (m) => {
            let t = ""
            m.on("data", (d) => (t += d))
            m.on("end", () => res({ status: m.statusCode, body: JSON.parse(t) }))
          },
        )
        r.on("error", rej)
        if (body) r.write(JSON.stringify(body))
        r.end()
      })
    for (const ns of ["ci", "headrace", "full", "dying"])
      await api("POST", "/api/v1/namespaces", { metadata: { name: ns } })
    const prow = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
    const cm = "/api/v1/namespaces/ci/configmaps"
    const made = await api("POST", cm, { metadata: { name: "owner" } })
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: made.body.metadata.uid }
    console.log(
      "| create alpha",
      (
        await api("POST", cm, {
          metadata: {
            name: "alpha",
            labels: prow,
            ownerReferences: [owner],
            finalizers: ["example.com/hold"],
          },
          data: { "x.txt": "old" },
        })
      ).status,
    )
    console.log(
      "| create beta",
      (
        await api("POST", cm, {
          metadata: { name: "beta", ownerReferences: [owner], finalizers: ["example.com/hold"] },
          data: { "x.txt": "old" },
        })
      ).status,
    )
    console.log(
      "| create immu",
      (
        await api("POST", cm, {
          metadata: { name: "immu", labels: prow },
          immutable: true,
          data: { "x.txt": "old" },
        })
      ).status,
    )
    console.log(
      "| quota",
      (
        await api("POST", "/api/v1/namespaces/full/resourcequotas", {
          metadata: { name: "q" },
          spec: { hard: { "count/configmaps": "0" } },
        })
      ).status,
    )
    console.log(
      "| quota st",
      (
        await api("PATCH", "/api/v1/namespaces/full/resourcequotas/q/status", {
          status: { hard: { "count/configmaps": "0" }, used: { "count/configmaps": "0" } },
        })
      ).status,
    )
    await api("POST", "/api/v1/namespaces/dying/configmaps", {
      metadata: { name: "keep", finalizers: ["example.com/hold"] },
    })
    console.log("| delete ns", (await api("DELETE", "/api/v1/namespaces/dying")).status)
    await api("DELETE", `${cm}/beta`) // beta is now terminating, held by its finalizer
    const meta = async (n: string) => {
      const { status, body } = await api("GET", `${cm}/${n}`)
      return status === 200
        ? JSON.stringify({
            owners: body.metadata.ownerReferences?.length ?? 0,
            finalizers: body.metadata.finalizers ?? [],
            deleting: body.metadata.deletionTimestamp !== undefined,
            data: body.data,
          })
        : `HTTP ${status}`
    }
    console.log("| before: alpha", await meta("alpha"), "beta", await meta("beta"))
    const client = await connectCluster(
      "east",
      { kubeconfig: kube.kubeconfigFile },
      createLog("t", { level: "silent" }),
    )
    let calls = 0
    const counted = {
      ...client,
      get: (...a: any) => {
        if (a[0] === "missing") calls++
        return (client.get as any)(...a)
      },
      create: (...a: any) => {
        if (a[0].metadata.namespace === "missing") calls++
        return (client.create as any)(...a)
      },
    }
    await adoptTarget({ kube: client, clock: systemClock }, "release", { namespace: "ci", name: "beta" }, q)
    console.log("| after adopt of the terminating beta:", await meta("beta"))
    const repository = modelRepository(
      new Map(
        Object.entries({
          "rules.yaml": RULES,
          "a/x.txt": "new",
          "b/x.txt": "new",
          "n/x.txt": "1",
          "q/x.txt": "1",
          "t/x.txt": "1",
          "i/x.txt": "new",
        }),
      ),
    )
    const ports = reconcilePorts({ kube: counted as any, repository, clock: systemClock })
    const o = await reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, q)
    console.log("| reconcile", o.result)
    for (const f of o.failed) console.log("|   failed", f.target, f.reason)
    console.log("| calls for the missing namespace", calls)
    console.log("| after: alpha", await meta("alpha"), "beta", await meta("beta"))
    client.close()
  })
}, 120000)
