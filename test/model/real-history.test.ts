import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { configMapBytes } from "@headrace/shared/foundation/config-map"
import { openMirror } from "@headrace/shared/git/open-mirror"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { describe, expect, it } from "vitest"
import { rawRequest } from "../contract/raw-request.ts"
import { openReal, type Server } from "../contract/subjects.ts"
import { realKubeMissing } from "../harness/real-kube.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { REAL_BRANCH, REAL_RULES, realHistoryMissing } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { type RealHistory, withRealHistory } from "../harness/with-real-history.ts"
import { inNamespaces } from "./in-namespaces.ts"

const CLUSTER = "test-infra-trusted"
const NAMESPACES = ["default", "test-pods", "headrace"]
/** All 335 in the long form. */
const MERGES = Number(process.env.HEADRACE_REPLAY_MERGES ?? 40)

const missing = realHistoryMissing()
if (missing) process.stdout.write(`real history ${missing}\n`)
const noServer = realKubeMissing()
if (noServer) process.stdout.write(`real history: ${noServer}\n`)

function portsFor(repository: SourceRepository, kube: ConfigMapWriter): ReconcilePorts {
  return reconcilePorts({
    kube,
    repository,
    settings: {
      repo: "kubernetes/test-infra",
      rulesPath: REAL_RULES,
      defaults: { cluster: CLUSTER, namespace: "default" },
      guard: { deletedKeys: 0.2, deletedConfigMaps: 0.1, atLeast: 20 },
      clusters: new Map([
        [CLUSTER, { namespaces: ["*"] }],
        ["k8s-infra-prow-build-trusted", { namespaces: ["*"] }],
      ]),
    },
  })
}

/** Every ConfigMap outside Headrace's namespace, VERSION left out, and the root of the store. */
async function contents(kube: ConfigMapWriter): Promise<unknown> {
  const targets: [string, [string, string][]][] = []
  for (const namespace of NAMESPACES.filter((name) => name !== "headrace")) {
    const { items } = await kube.list(namespace, { labelSelector: "headrace.dev/source=release" })
    for (const item of items) {
      const values = [...configMapBytes(item)].filter(([key]) => key !== "VERSION")
      const texts = values.map(([key, value]): [string, string] => [key, value.toString("base64")])
      targets.push([`${namespace}/${item.metadata.name}`, texts.sort()])
    }
  }
  const record = await kube.get("headrace", "release")
  return { targets: targets.sort(), root: record && readRecord(record).root }
}

/** Every merge on its own, then the last one from nothing: both must come to the same. */
async function replay(
  history: RealHistory,
  stepwise: ConfigMapWriter,
  fresh: ConfigMapWriter,
): Promise<void> {
  const signal = new AbortController().signal
  const mirror = await openMirror({
    name: "release",
    url: history.folder,
    branch: REAL_BRANCH,
    folder: join(history.folder, "..", "mirrors"),
    log: createLog("test", { level: "silent" }),
  })
  try {
    const ports = portsFor(mirror, stepwise)
    const merges = history.merges.slice(0, MERGES)
    for (const merge of merges) {
      await history.moveTo(merge.sha)
      const request = { cluster: CLUSTER, source: "release", mode: "incremental" as const }
      const outcome = await reconcile(request, ports, signal)
      expect(outcome).toMatchObject({ result: "applied", commit: merge.sha, failed: [] })
    }
    const full = { cluster: CLUSTER, source: "release", mode: "full" as const }
    await reconcile(full, portsFor(mirror, fresh), signal)
    const expected = await contents(fresh)
    expect(expected).toMatchObject({ root: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(await contents(stepwise)).toEqual(expected)
    expect(await reconcile(full, ports, signal)).toMatchObject({ result: "noop", written: 0 })
  } finally {
    await mirror.close()
  }
}

async function freshCluster(server: Server): Promise<ConfigMapWriter> {
  const names = new Map<string, string>()
  for (const namespace of NAMESPACES) {
    const name = `r-${randomBytes(5).toString("hex")}`
    const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
    expect((await rawRequest(server, "POST", "/api/v1/namespaces", body)).status).toBe(201)
    names.set(namespace, name)
  }
  return inNamespaces(server.adapter, names)
}

describe.skipIf(missing)(`merges of a real repository, one by one${whySkipped(missing)}`, () => {
  it("come to what a rebuild from nothing gives, shard by shard", { timeout: 1_800_000 }, async () => {
    function cluster(): ConfigMapWriter {
      return inProcessClient(new ObjectStore({ createNamespaces: true }))
    }
    await withRealHistory((history) => replay(history, cluster(), cluster()))
  })

  it.skipIf(noServer)(
    `come to the same on a real kube-apiserver${whySkipped(noServer)}`,
    { timeout: 1_800_000 },
    async () => {
      const server = await openReal()
      try {
        const [stepwise, fresh] = [await freshCluster(server), await freshCluster(server)]
        await withRealHistory((history) => replay(history, stepwise, fresh))
      } finally {
        await server.close()
      }
    },
  )
})
