import { KubeError } from "@headrace/shared/kube/kube-error"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { describe, expect, it } from "vitest"
import {
  quiet,
  type ReconcileFixture,
  type ReconcileFixtureOptions,
  reconcileFixture,
} from "../harness/reconcile-fixture.ts"

const RULES = "config_updater: {maps: {'a/*': {name: alpha}, 'b/*': {name: beta, gzip: true}}}"
const PROW_LABELS = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }

function bench(
  files: Record<string, string>,
  changeKube?: ReconcileFixtureOptions["changeKube"],
): ReconcileFixture {
  const settings = { guard: { deletedKeys: 0.2, deletedConfigMaps: 0.5, atLeast: 1 } }
  return reconcileFixture(files, { rules: RULES, settings, ...(changeKube ? { changeKube } : {}) })
}

describe("Prow's bugs, in what is written", () => {
  it("B4: VERSION is the commit of the last change of content, and rebuilds leave it there", async () => {
    const here = bench({ "a/x": "one" })
    await here.run()
    const first = here.repository.tip()
    here.commit({ "README.md": "unrelated" })

    for (let rebuild = 0; rebuild < 4; rebuild++) {
      await here.run("full")
      expect((await here.kube.get("ci", "alpha"))?.data?.VERSION).toBe(first)
    }
    const second = here.commit({ "a/x": "two" })
    await here.run()
    expect((await here.kube.get("ci", "alpha"))?.data?.VERSION).toBe(second)
  })

  it("B7: an emptied ConfigMap loses its keys, in the next reconcile as in a rebuild", async () => {
    for (const mode of ["incremental", "full"] as const) {
      const here = bench({ "a/x": "one", "b/y": "kept" })
      await here.run()
      here.commit({ "a/x": undefined })
      await here.run(mode)
      expect(Object.keys((await here.kube.get("ci", "alpha"))?.data ?? {})).not.toContain("x")
    }
  })

  it("B8: of two merges the later one stays, whichever handler ends last", async () => {
    const here = bench({ "a/x": "zero" })
    await here.run()
    const older = here.commit({ "a/x": "A" })
    const olderTip = { commit: older, seq: (await here.repository.fetch()).seq }
    here.commit({ "a/x": "B" })
    await here.run()

    const stale = { ...here.ports, repository: { ...here.repository, fetch: async () => olderTip } }
    await reconcile({ cluster: "east", source: "release", mode: "full" }, stale, quiet)

    expect((await here.kube.get("ci", "alpha"))?.data).toMatchObject({ x: "B" })
  })

  it("B9: a write that meets a conflict is read again and retried", async () => {
    let conflicts = 0
    const here = bench({ "a/x": "one" }, (kube) => ({
      ...kube,
      async replace(configMap, signal) {
        if (configMap.metadata.name === "alpha" && conflicts++ === 0) {
          throw new KubeError("kube/conflict", "somebody was faster", { status: 409 })
        }
        return kube.replace(configMap, signal)
      },
    }))
    await here.run()
    here.commit({ "a/x": "two" })

    expect(await here.run()).toMatchObject({ result: "applied", failed: [] })
    expect(conflicts).toBe(2)
    expect((await here.kube.get("ci", "alpha"))?.data).toMatchObject({ x: "two" })
  })

  it("B16: labels that got lost are put back with the next change", async () => {
    const here = bench({ "a/x": "one" })
    await here.run()
    const written = await here.kube.get("ci", "alpha")
    if (!written) throw new Error("not written")
    const { "app.kubernetes.io/name": _, ...others } = written.metadata.labels ?? {}
    await here.kube.replace({ ...written, metadata: { ...written.metadata, labels: others } })
    here.commit({ "a/x": "two" })
    await here.run()

    expect((await here.kube.get("ci", "alpha"))?.metadata.labels).toMatchObject(PROW_LABELS)
  })

  it("B17: a change of two ConfigMaps is one swap of the record, after all writes", async () => {
    const writes: string[] = []
    const here = bench({ "a/x": "one", "b/y": "one" }, (kube) => ({
      ...kube,
      replace(configMap, signal) {
        writes.push(configMap.metadata.name)
        return kube.replace(configMap, signal)
      },
    }))
    await here.run()
    writes.length = 0
    here.commit({ "a/x": "two", "b/y": "two" })
    await here.run()

    expect([...writes].sort()).toEqual(["alpha", "beta", "release", "release"])
    expect([writes.at(0), writes.at(-1)]).toEqual(["release", "release"])
  })

  it("B19: a value is compressed or it is not written; it never falls back to plain text", async () => {
    const here = bench({ "b/y": "text" })
    await here.run()
    const beta = await here.kube.get("ci", "beta")

    expect(beta?.data?.y).toBeUndefined()
    expect(Buffer.from(beta?.binaryData?.y ?? "", "base64").subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
  })

  it("B20: a commit that lacks half the tree deletes nothing without approval", async () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`a/${index}`, "content"]))
    const here = bench(files)
    await here.run()
    here.commit(
      Object.fromEntries(
        Object.keys(files)
          .slice(0, 5)
          .map((path) => [path, undefined]),
      ),
    )

    expect(await here.run()).toMatchObject({ result: "stopped" })
    expect(Object.keys((await here.kube.get("ci", "alpha"))?.data ?? {})).toHaveLength(11)
  })
})
