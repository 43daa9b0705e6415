import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { inProcessClient } from "@headrace/shared/kube/embedded/in-process-client"
import { ObjectStore } from "@headrace/shared/kube/embedded/object-store"
import { KubeError } from "@headrace/shared/kube/kube-error"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import type { ReconcilePorts } from "@headrace/shared/reconcile/reconcile-ports"
import { describe, expect, it } from "vitest"
import { type ModelRepository, modelRepository } from "../model/model-repository.ts"

const RULES = "config_updater: {maps: {'a/*': {name: alpha}, 'b/*': {name: beta, gzip: true}}}"
const PROW_LABELS = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
const never = new AbortController().signal

interface Bench {
  repository: ModelRepository
  kube: ConfigMapWriter
  ports: ReconcilePorts
  run(mode?: "incremental" | "full"): ReturnType<typeof reconcile>
  push(changes: Record<string, string | undefined>): string
  alpha(): Promise<ConfigMap | undefined>
}

function openBench(files: Record<string, string>, changeKube = (kube: ConfigMapWriter) => kube): Bench {
  const repository = modelRepository(new Map(Object.entries({ "rules.yaml": RULES, ...files })))
  const kube = changeKube(inProcessClient(new ObjectStore({ createNamespaces: true })))
  const ports: ReconcilePorts = {
    kube,
    repository,
    rulesRepository: repository,
    clock: { now: () => Date.now(), sleep: async () => {} },
    log: createLog("test", { level: "silent" }),
    settings: {
      namespace: "headrace",
      repo: "org/repo",
      rulesPath: "rules.yaml",
      strict: false,
      foreignKeys: "remove",
      allowForcePush: false,
      defaults: { cluster: "east", namespace: "ci" },
      guard: { deletedKeys: 0.2, deletedConfigMaps: 0.5, atLeast: 1 },
      clusters: new Map([["east", {}]]),
      store: true,
    },
  }
  return {
    repository,
    kube,
    ports,
    run: (mode = "incremental") => reconcile({ cluster: "east", source: "release", mode }, ports, never),
    push(changes) {
      const files = new Map(repository.filesAt(repository.tip()))
      for (const [path, content] of Object.entries(changes)) {
        if (content === undefined) files.delete(path)
        else files.set(path, content)
      }
      repository.push(repository.add([repository.tip()], files))
      return repository.tip()
    },
    alpha: () => kube.get("ci", "alpha"),
  }
}

describe("Prow's bugs, in what is written", () => {
  it("B4: VERSION is the commit of the last change of content, and rebuilds leave it there", async () => {
    const bench = openBench({ "a/x": "one" })
    await bench.run()
    const first = bench.repository.tip()
    bench.push({ "README.md": "unrelated" })

    for (let rebuild = 0; rebuild < 4; rebuild++) {
      await bench.run("full")
      expect((await bench.alpha())?.data?.VERSION).toBe(first)
    }
    const second = bench.push({ "a/x": "two" })
    await bench.run()
    expect((await bench.alpha())?.data?.VERSION).toBe(second)
  })

  it("B7: an emptied ConfigMap loses its keys, in the next reconcile as in a rebuild", async () => {
    for (const mode of ["incremental", "full"] as const) {
      const bench = openBench({ "a/x": "one", "b/y": "kept" })
      await bench.run()
      bench.push({ "a/x": undefined })
      await bench.run(mode)
      expect(Object.keys((await bench.alpha())?.data ?? {})).not.toContain("x")
    }
  })

  it("B8: of two merges the later one stays, whichever handler ends last", async () => {
    const bench = openBench({ "a/x": "zero" })
    await bench.run()
    const older = bench.push({ "a/x": "A" })
    const olderTip = { commit: older, seq: (await bench.repository.fetch()).seq }
    bench.push({ "a/x": "B" })
    await bench.run()

    const stale = { ...bench.ports, repository: { ...bench.repository, fetch: async () => olderTip } }
    await reconcile({ cluster: "east", source: "release", mode: "full" }, stale, never)

    expect((await bench.alpha())?.data).toMatchObject({ x: "B" })
  })

  it("B9: a write that meets a conflict is read anew and tried again", async () => {
    let conflicts = 0
    const bench = openBench({ "a/x": "one" }, (kube) => ({
      ...kube,
      async replace(configMap, signal) {
        if (configMap.metadata.name === "alpha" && conflicts++ === 0) {
          throw new KubeError("kube/conflict", "somebody was faster", { status: 409 })
        }
        return kube.replace(configMap, signal)
      },
    }))
    await bench.run()
    bench.push({ "a/x": "two" })

    expect(await bench.run()).toMatchObject({ result: "applied", failed: [] })
    expect(conflicts).toBe(2)
    expect((await bench.alpha())?.data).toMatchObject({ x: "two" })
  })

  it("B16: labels that got lost are put back with the next change", async () => {
    const bench = openBench({ "a/x": "one" })
    await bench.run()
    const written = await bench.alpha()
    if (!written) throw new Error("not written")
    const { "app.kubernetes.io/name": _, ...others } = written.metadata.labels ?? {}
    await bench.kube.replace({ ...written, metadata: { ...written.metadata, labels: others } })
    bench.push({ "a/x": "two" })
    await bench.run()

    expect((await bench.alpha())?.metadata.labels).toMatchObject(PROW_LABELS)
  })

  it("B17: a change of two ConfigMaps is one swap of the record, after all writes", async () => {
    const writes: string[] = []
    const bench = openBench({ "a/x": "one", "b/y": "one" }, (kube) => ({
      ...kube,
      replace(configMap, signal) {
        writes.push(configMap.metadata.name)
        return kube.replace(configMap, signal)
      },
    }))
    await bench.run()
    writes.length = 0
    bench.push({ "a/x": "two", "b/y": "two" })
    await bench.run()

    expect([...writes].sort()).toEqual(["alpha", "beta", "release", "release"])
    expect([writes.at(0), writes.at(-1)]).toEqual(["release", "release"])
  })

  it("B19: a value is compressed or it is not written; it never falls back to plain text", async () => {
    const bench = openBench({ "b/y": "text" })
    await bench.run()
    const beta = await bench.kube.get("ci", "beta")

    expect(beta?.data?.y).toBeUndefined()
    expect(Buffer.from(beta?.binaryData?.y ?? "", "base64").subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
  })

  it("B20: a commit that lacks half the tree deletes nothing without approval", async () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`a/${index}`, "content"]))
    const bench = openBench(files)
    await bench.run()
    bench.push(
      Object.fromEntries(
        Object.keys(files)
          .slice(0, 5)
          .map((path) => [path, undefined]),
      ),
    )

    expect(await bench.run()).toMatchObject({ result: "stopped" })
    expect(Object.keys((await bench.alpha())?.data ?? {})).toHaveLength(11)
  })
})
