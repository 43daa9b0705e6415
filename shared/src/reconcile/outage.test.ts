import { reconcilePorts } from "@headrace/test/harness/reconcile-ports"
import { type TestKube, withKube } from "@headrace/test/harness/with-kube"
import { describe, expect, it } from "vitest"
import { modelRepository } from "../../../test/model/model-repository.ts"
import { connectCluster } from "../kube/client-node/connect-cluster.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"
import { transientRetry } from "../kube/retry-transient.ts"
import { createLog } from "../observe/log.ts"
import { holdSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"

const log = createLog("test", { level: "silent" })
const clock = { now: Date.now, sleep: async () => {} }
const RULES = "config_updater: {maps: {'a/**': {name: alpha, clusters: {east: [ci]}}}}"
const REQUEST = { cluster: "east", source: "release", mode: "incremental" } as const
const MANY = 10_000

interface Site {
  kube: TestKube
  client: ConfigMapWriter
  repository: ReturnType<typeof modelRepository>
  run(): ReturnType<typeof reconcile>
}

/** Reconcile over the client that the control plane uses, with its own number of tries. */
async function withSite(test: (site: Site) => Promise<void>): Promise<void> {
  await withKube(async (kube) => {
    const retry = transientRetry(clock)
    const client = await connectCluster("east", { kubeconfig: kube.kubeconfigFile }, log, { retry })
    const repository = modelRepository(
      new Map([
        ["rules.yaml", RULES],
        ["a/x.txt", "one"],
      ]),
    )
    const ports = reconcilePorts({ kube: client, repository, clock })
    const run = () => reconcile(REQUEST, ports, new AbortController().signal)
    try {
      await test({ kube, client, repository, run })
    } finally {
      client.close()
    }
  })
}

function refuse(kube: TestKube, verb?: string): void {
  const fault = { answer: { kind: "status", status: 503 } as const, times: MANY }
  kube.faults.plan(verb === undefined ? fault : { ...fault, verb })
  kube.requests.reset()
}

describe("reconcile against an API server that answers 503", () => {
  it("asks at most four times for what it reads, then leaves it to the lane", () =>
    withSite(async ({ kube, run }) => {
      refuse(kube)
      await expect(run()).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(kube.requests.all()).toEqual({ "get configmaps": 4 })
    }))

  it("asks at most four times to create its record", () =>
    withSite(async ({ kube, run }) => {
      refuse(kube, "create")
      await expect(run()).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(kube.requests.get("create", "configmaps")).toBe(4)
    }))

  it("asks at most four times to swap its record", () =>
    withSite(async ({ kube, repository, run }) => {
      await run()
      repository.push(
        repository.add(
          [repository.tip()],
          new Map([
            ["rules.yaml", RULES],
            ["a/x.txt", "two"],
          ]),
        ),
      )
      refuse(kube, "update")
      await expect(run()).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(kube.requests.get("update", "configmaps")).toBe(4)
    }))

  it("asks at most four times for each part of an operator's change", () =>
    withSite(async ({ kube, client, repository, run }) => {
      await run()
      const ports = {
        kube: client,
        namespace: "headrace",
        source: "release",
        clock,
        repository,
        rulesRepository: repository,
        settings: { guard: "off" as const },
      }
      const hold = () =>
        holdSource(ports, { by: "operator", reason: "test", until: null }, new AbortController().signal)
      refuse(kube, "update")
      await expect(hold()).rejects.toMatchObject({ code: "kube/unavailable" })
      expect(kube.requests.get("update", "configmaps")).toBe(4)
    }))

  it("goes on by itself once the server answers again", () =>
    withSite(async ({ kube, run }) => {
      kube.faults.plan({ answer: { kind: "status", status: 503 }, times: 3 })
      expect(await run()).toMatchObject({ result: "applied", failed: [] })
    }))
})
