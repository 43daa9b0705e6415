import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcilePorts } from "./run/ports.ts"

const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
const REQUEST = { cluster: "east", source: "release", mode: "incremental" } as const
const RULES = "config_updater: {maps: {a/*.txt: {name: alpha, clusters: {east: [ci]}}}}"

type Changes = { [path: string]: string | undefined }

function filesOf(
  prefix: string,
  count: number,
  content: (index: number) => string,
): { [path: string]: string } {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${prefix}${index}.txt`, content(index)]),
  )
}

/** Another process, with other settings of the same meaning. */
function other({ ports }: ReconcileFixture): ReconcilePorts {
  return { ...ports, memory: createReconcileMemory(), settings: { ...ports.settings, strict: true } }
}

describe("keys that a stranger has put into a target", () => {
  const SIXTY = filesOf("a/", 60, (i) => `a${i}`)
  const half: Changes = Object.fromEntries(
    Object.keys(filesOf("a/", 30, () => "")).map((path) => [path, undefined]),
  )
  const strays = (count: number, value: (index: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`stray-${index}`, value(index)]))

  async function withStrays(store: boolean, data: { [key: string]: string }) {
    const here = reconcileFixture(SIXTY, { rules: RULES, settings: { guard: GUARD, store } })
    await here.run()
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    await here.kube.replace({ ...alpha, data: { ...alpha.data, ...data } })
    return { here, changed: other(here) }
  }

  it.each([true, false])("make no share smaller when settings have changed (store: %s)", async (store) => {
    const { here, changed } = await withStrays(
      store,
      strays(200, (i) => `s${i}`),
    )
    here.commit(half)
    const stopped = await reconcile(REQUEST, changed, quiet)
    expect(stopped).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    if (store) expect(stopped.stopped?.message).toContain("delete 30 of 60 keys")
  })

  it.each([true, false])("are not ours under a key that the plan gives now (store: %s)", async (store) => {
    const names = Array.from({ length: 200 }, (_, index) => `${100 + index}.txt`)
    const { here, changed } = await withStrays(
      store,
      Object.fromEntries(names.map((name) => [name, "theirs"])),
    )
    here.commit({ ...half, ...Object.fromEntries(names.map((name) => [`a/${name}`, "ours"])) })
    const stopped = await reconcile(REQUEST, changed, quiet)
    expect(stopped.stopped?.message).toContain("delete 30 of 60 keys")
  })

  it.each([true, false])("are not renamed when a new file has their content (store: %s)", async (store) => {
    const { here, changed } = await withStrays(
      store,
      strays(200, (i) => `new${i}`),
    )
    here.commit({ ...half, ...filesOf("a/new-", 200, (i) => `new${i}`) })
    expect(await reconcile(REQUEST, changed, quiet)).toMatchObject({
      stopped: { code: "guard/deleted-keys" },
    })
  })

  it("take the place of none that they have replaced", async () => {
    const { here, changed } = await withStrays(true, {})
    const alpha = (await here.kube.get("ci", "alpha")) as ConfigMap
    const left = Object.entries(alpha.data ?? {}).filter(([key]) => !(`a/${key}` in half))
    const data = { ...Object.fromEntries(left), ...strays(30, (i) => `new${i}`) }
    await here.kube.replace({ ...alpha, data })
    here.commit({ ...half, ...filesOf("a/new-", 30, (i) => `new${i}`) })
    expect((await reconcile(REQUEST, changed, quiet)).stopped?.message).toContain("delete 30 of 60 keys")
  })

  it("go without being counted, now and in the sum of hours", async () => {
    const { here, changed } = await withStrays(
      true,
      strays(200, (i) => `s${i}`),
    )
    here.commit({ "a/0.txt": undefined })
    expect(await reconcile(REQUEST, changed, quiet)).toMatchObject({ result: "applied", stopped: null })
    expect(Object.keys(await here.data("alpha"))).toHaveLength(59)
    expect((await here.record()).deletions).toMatchObject([{ keys: 1 }])
  })

  it("count as ours where the record is lost and the store turned off: nothing says whose they are", async () => {
    const { here } = await withStrays(
      false,
      strays(200, (i) => `s${i}`),
    )
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    expect((await here.run()).stopped?.message).toContain("delete 200 of 260 keys")
  })
})

describe("a ConfigMap that is in force by no rule", () => {
  const PROW = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
  const BOTH = RULES.replace("}}}}", "}}, b/*.txt: {name: beta, clusters: {east: [ci]}}}}")
  const ALPHA = filesOf("a/", 60, (i) => `a${i}`)

  async function besideProws(count: number) {
    const here = reconcileFixture(ALPHA, { rules: RULES, settings: { guard: GUARD } })
    await here.run()
    const data = Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`${index}.txt`, `b${index}`]),
    )
    await here.kube.create({ metadata: { namespace: "ci", name: "beta", labels: PROW }, data })
    return here
  }

  it("makes no share smaller when settings have changed and a rule names it", async () => {
    const here = await besideProws(200)
    const half = Object.fromEntries(
      Object.keys(ALPHA).map((path, index) => [path, index < 30 ? undefined : ALPHA[path]]),
    )
    here.commit({ "rules.yaml": BOTH, ...half, ...filesOf("b/", 200, (i) => `b${i}`) })
    expect((await reconcile(REQUEST, other(here), quiet)).stopped?.message).toContain("delete 30 of 60 keys")
  })

  it("counts with what it loses", async () => {
    const here = await besideProws(60)
    here.commit({ "rules.yaml": BOTH, "b/0.txt": "b0" })
    expect((await reconcile(REQUEST, other(here), quiet)).stopped?.message).toContain("delete 59 of 119 keys")
  })
})
