import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcilePorts } from "@headrace/shared/reconcile/run/ports"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { expect, it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { type ModelRepository, modelRepository } from "./model-repository.ts"

const CLUSTERS = ["one", "two", "flapping", "refusing"]
const PLACES = Object.fromEntries(CLUSTERS.map((name) => [name, ["ci"]]))
const MERGES = 12
const never = new AbortController().signal

function rulesFor(name: string): string {
  const maps = {
    [`${name}/a/*.txt`]: { name: `${name}-a`, clusters: PLACES },
    [`${name}/b/*.txt`]: { name: `${name}-b`, clusters: PLACES },
  }
  return JSON.stringify({ config_updater: { maps } })
}

function repositoryOf(name: string): ModelRepository {
  return modelRepository(
    new Map([
      ["rules.yaml", rulesFor(name)],
      [`${name}/a/x.txt`, "0"],
      [`${name}/b/x.txt`, "0"],
    ]),
  )
}

/** Every other write fails for good: more often than reconcile tries within one run. */
function flapping(kube: ConfigMapWriter): ConfigMapWriter {
  let calls = 0
  function flap<Input, Result>(call: (input: Input) => Promise<Result>) {
    return async (input: Input): Promise<Result> => {
      calls += 1
      if (Math.floor(calls / 7) % 2 === 0)
        throw new KubeError("kube/unavailable", "it flaps", { status: 503 })
      return call(input)
    }
  }
  return { ...kube, create: flap(kube.create), replace: flap(kube.replace) }
}

function refusing(kube: ConfigMapWriter): ConfigMapWriter {
  function refuse<Result>(call: (configMap: Parameters<ConfigMapWriter["create"]>[0]) => Promise<Result>) {
    return async (configMap: Parameters<ConfigMapWriter["create"]>[0]): Promise<Result> => {
      if (configMap.metadata.name === "tools-a") throw new KubeError("kube/invalid", "never", { status: 422 })
      return call(configMap)
    }
  }
  return { ...kube, create: refuse(kube.create), replace: refuse(kube.replace) }
}

function portsFor(kube: ConfigMapWriter, repository: ModelRepository): ReconcilePorts {
  const clusters = new Map(CLUSTERS.map((name) => [name, {}]))
  return reconcilePorts({ kube, repository, settings: { guard: "off", clusters } })
}

it("keeps two clusters current at every merge while one flaps and one refuses a ConfigMap for ever", async () => {
  const repositories = new Map(["release", "tools"].map((name) => [name, repositoryOf(name)]))
  const direct = new Map(
    CLUSTERS.map((name) => [name, inProcessClient(new ObjectStore({ createNamespaces: true }))]),
  )
  const seen = { flapped: 0, refused: 0 }

  async function run(cluster: string, source: string): Promise<void> {
    const kube = direct.get(cluster) as ConfigMapWriter
    const repository = repositories.get(source) as ModelRepository
    const change = { flapping, refusing }[cluster]
    const ports = portsFor(change ? change(kube) : kube, repository)
    const outcome = await reconcile({ cluster, source, mode: "incremental" }, ports, never).catch(
      (error: unknown) => {
        // A lane would try again; the next merge does here.
        if (cluster !== "flapping") throw error
        seen.flapped += 1
        return undefined
      },
    )
    if (cluster === "refusing" && source === "tools") {
      seen.refused += 1
      expect(outcome?.failed).toMatchObject([{ target: "ci/tools-a" }])
    }
  }
  async function shown(cluster: string, source: string): Promise<string> {
    const found = await direct.get(cluster)?.get("ci", `${source}-b`)
    return found?.data?.["x.txt"] ?? ""
  }

  for (let merge = 1; merge <= MERGES; merge++) {
    for (const [name, repository] of repositories) {
      const files = new Map(repository.filesAt(repository.tip()))
      for (const folder of ["a", "b"]) files.set(`${name}/${folder}/x.txt`, String(merge))
      repository.push(repository.add([repository.tip()], files))
    }
    const pairs = CLUSTERS.flatMap((cluster) =>
      [...repositories.keys()].map((source) => [cluster, source] as const),
    )
    await Promise.all(pairs.map(([cluster, source]) => run(cluster, source)))
    for (const cluster of ["one", "two", "refusing"]) {
      for (const source of repositories.keys()) expect(await shown(cluster, source)).toBe(String(merge))
    }
  }
  expect(seen.flapped).toBeGreaterThan(0)
  expect(seen.refused).toBe(MERGES)

  // Once it no longer flaps, one more look brings it to the same.
  for (const [source, repository] of repositories) {
    const ports = portsFor(direct.get("flapping") as ConfigMapWriter, repository)
    await reconcile({ cluster: "flapping", source, mode: "incremental" }, ports, never)
    expect(await shown("flapping", source)).toBe(String(MERGES))
    const record = await direct.get("flapping")?.get("headrace", source)
    expect(record && readRecord(record)).toMatchObject({ commit: repository.tip(), intents: [], failed: [] })
  }
})

it("lets a cluster that never answers keep nobody waiting", async () => {
  const repository = repositoryOf("release")
  const silent = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const seen = { asked: 0 }
  function hang(): Promise<never> {
    seen.asked += 1
    return new Promise(() => {})
  }
  const hanging = { ...silent, get: hang, create: hang, replace: hang, list: hang }
  const stuck = reconcile(
    { cluster: "flapping", source: "release", mode: "full" },
    portsFor(hanging, repository),
    never,
  ).then(() => "ended")
  const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const other = await reconcile(
    { cluster: "one", source: "release", mode: "full" },
    portsFor(kube, repository),
    never,
  )
  expect(other).toMatchObject({ result: "applied", commit: repository.tip() })
  expect(seen.asked).toBeGreaterThan(0)
  expect(await Promise.race([stuck, Promise.resolve("still waiting")])).toBe("still waiting")
})
