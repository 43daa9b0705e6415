import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import type { ConfigMap } from "../foundation/config-map.ts"
import { findAdoptable, whyBarred } from "./operate/find-adoptable.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcileSettings } from "./run/ports.ts"

const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: aws-auth, clusters: {east: [kube-system]}}
    c/*.txt: {name: gamma, clusters: {east: [ocp]}}
`
const FILES = { "a/x.txt": "1", "b/y.txt": "1", "c/z.txt": "1" }
const CLOSED = clusters({})

function clusters(east: { namespaces?: string[] }): Pick<ReconcileSettings, "clusters"> {
  return { clusters: new Map([["east", east]]) }
}

function fixture(settings: Partial<ReconcileSettings> = CLOSED): ReconcileFixture {
  return reconcileFixture(FILES, { rules: RULES, settings })
}

/** The same cluster and repository, by another process with other settings. */
function runWith(here: ReconcileFixture, settings: Partial<ReconcileSettings>) {
  const ports = {
    ...here.ports,
    memory: createReconcileMemory(),
    settings: { ...here.ports.settings, ...settings },
  }
  return reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, quiet)
}

async function held(here: ReconcileFixture, namespace: string, name: string): Promise<string | undefined> {
  return (await here.kube.get(namespace, name))?.data?.["z.txt"]
}

function named(namespace: string, name: string, more: Partial<ConfigMap["metadata"]> = {}): ConfigMap {
  return { metadata: { namespace, name, ...more }, data: { mine: "x" } }
}

describe("a cluster without namespaces", () => {
  it("gets new ConfigMaps in the default namespace alone, and each other one says which line opens it", async () => {
    const here = fixture()
    const { failed } = await here.run("full")
    expect(await here.data("alpha")).toEqual({ "x.txt": "1" })
    expect(await here.kube.get("kube-system", "aws-auth")).toBeUndefined()
    expect(await here.kube.get("ocp", "gamma")).toBeUndefined()
    expect(failed).toMatchObject([
      { target: "kube-system/aws-auth", closed: true },
      { target: "ocp/gamma", closed: true },
    ])
    expect(failed[1]?.reason).toBe(
      "plan/namespace-closed: nothing new is created in this namespace; to open it, add to the cluster's settings: namespaces: [ci, ocp]",
    )
    here.writes.length = 0
    expect(await here.run("full")).toMatchObject({ result: "noop" })
    expect(here.writes).toEqual([])
  })

  it("keeps files of a closed namespace out of the store too, where agents would show them", async () => {
    const here = fixture()
    await here.run()
    const root = (await here.record()).root
    const other = reconcileFixture(FILES, {
      rules: RULES.split("\n")
        .filter((line) => !line.includes("[kube-system]") && !line.includes("[ocp]"))
        .join("\n"),
      settings: CLOSED,
    })
    await other.run()
    expect(root).toBe((await other.record()).root)
  })

  it("goes on with what its record names, also when that is deleted, until settings close it", async () => {
    const here = fixture(clusters({ namespaces: ["ci", "ocp"] }))
    await here.run()
    expect(await held(here, "ocp", "gamma")).toBe("1")
    expect(await runWith(here, CLOSED)).toMatchObject({ failed: [{ target: "kube-system/aws-auth" }] })
    here.commit({ "c/z.txt": "2" })
    await runWith(here, CLOSED)
    expect(await held(here, "ocp", "gamma")).toBe("2")

    const gamma = await here.kube.get("ocp", "gamma")
    if (gamma) await here.kube.remove(gamma)
    here.commit({ "c/z.txt": "3" })
    await runWith(here, CLOSED)
    expect(await held(here, "ocp", "gamma")).toBe("3")

    here.commit({ "c/z.txt": "4" })
    const { failed } = await runWith(here, clusters({ namespaces: ["ci"] }))
    expect(failed.map(({ target, reason }) => [target, /\[(.*)\]$/.exec(reason)?.[1]])).toEqual([
      ["kube-system/aws-auth", "plan/namespace-not-allowed"],
      ["ocp/gamma", "plan/namespace-not-allowed"],
    ])
    expect(await held(here, "ocp", "gamma")).toBe("3")
  })

  it.each([
    ["its record is lost", { store: true }],
    ["its record is lost, and it keeps no store", { store: false }],
  ])("goes on with ConfigMaps that carry its stamp where %s", async (_, { store }) => {
    const here = fixture({ ...clusters({ namespaces: ["ci", "ocp"] }), store })
    await here.run()
    const record = await here.kube.get("headrace", "release")
    if (record) await here.kube.remove(record)
    here.commit({ "c/z.txt": "2" })
    expect(await runWith(here, { ...CLOSED, store })).toMatchObject({
      failed: [{ target: "kube-system/aws-auth" }],
    })
    expect(await held(here, "ocp", "gamma")).toBe("2")
    here.commit({ "c/z.txt": "3" })
    await runWith(here, { ...CLOSED, store })
    expect(await held(here, "ocp", "gamma")).toBe("3")
  })

  it("goes on with what Prow keeps there, and never with a stranger's or another source's", async () => {
    const labels = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }
    const prows = fixture()
    await prows.kube.create(named("ocp", "gamma", { labels }))
    await prows.kube.create(named("kube-system", "aws-auth"))
    const { failed } = await prows.run()
    expect(failed.map(({ target }) => target)).toEqual(["kube-system/aws-auth"])
    expect(await held(prows, "ocp", "gamma")).toBe("1")
    expect((await prows.kube.get("kube-system", "aws-auth"))?.data).toEqual({ mine: "x" })

    const others = fixture()
    await others.kube.create(named("ocp", "gamma", { labels: { "headrace.dev/source": "other" } }))
    expect((await others.run()).failed).toMatchObject([
      { closed: true },
      { target: "ocp/gamma", closed: true },
    ])
  })

  it("is opened by settings: the next run writes what it had refused", async () => {
    const here = fixture()
    await here.run()
    expect((await runWith(here, clusters({ namespaces: ["ci", "o*"] }))).failed).toMatchObject([
      { target: "kube-system/aws-auth" },
    ])
    expect(await held(here, "ocp", "gamma")).toBe("1")
    expect((await runWith(here, clusters({ namespaces: ["*"] }))).failed).toMatchObject([
      { target: "kube-system/aws-auth", reason: expect.stringContaining("plan/namespace-not-allowed") },
    ])
    expect((await runWith(here, clusters({ namespaces: ["*", "kube-*"] }))).failed).toEqual([])
    expect(await here.kube.get("kube-system", "aws-auth")).toBeDefined()
  })
})

it("adopt leaves a stranger's ConfigMap of a closed namespace alone, and says so", async () => {
  const here = fixture()
  await here.kube.create(named("kube-system", "aws-auth"))
  await here.kube.create(named("ci", "alpha"))
  await here.kube.create(named("ocp", "gamma", { labels: { "headrace.dev/source": "other" } }))
  const found = await findAdoptable(here.ports, { cluster: "east", source: "release" }, undefined, quiet)
  expect(found.targets.map(({ name }) => name)).toEqual(["alpha", "gamma"])
  expect(found.barred.map(({ name }) => name)).toEqual(["aws-auth"])
  const target = { cluster: "east", namespace: "kube-system", name: "aws-auth" }
  expect(whyBarred(target, named("kube-system", "aws-auth"), here.ports.settings)).toMatchObject({
    code: "plan/namespace-closed",
    hint: expect.stringContaining("namespaces: [ci, kube-system]"),
  })
  expect(whyBarred({ ...target, namespace: "headrace" }, undefined, here.ports.settings)?.code).toBe(
    "plan/reserved-namespace",
  )
})
