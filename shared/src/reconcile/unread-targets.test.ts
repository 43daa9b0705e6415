import { quiet, type ReconcileFixture, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { describe, expect, it } from "vitest"
import { openStoreConfigMap, storeObjectName } from "../bundle/store-config-map.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { KubeError } from "../kube/kube-error.ts"
import { listTargets, parseIndex } from "../record/walk-index.ts"
import { approveCommit } from "./operate/approve-commit.ts"
import { reconcile } from "./reconcile.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcileOutcome, ReconcileSettings } from "./run/ports.ts"

const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
const R1 = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [bad]}}
`
const SAME_SIZE = R1.replace("b/*.txt", "c/*.txt")
const SMALLER = R1.replace("b/*.txt", "d/*.txt")

function filesOf(folder: string, count: number): { [path: string]: string } {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${folder}/${index}.txt`, `${folder} ${index}`]),
  )
}

/** A cluster whose namespace `bad` cannot be read while `bad.isForbidden`. */
function fixture(settings: Partial<ReconcileSettings> = {}) {
  const bad = { isForbidden: false }
  const files = {
    "a/x.txt": "1",
    ...filesOf("b", 40),
    ...filesOf("c", 40),
    ...filesOf("d", 1),
    "same.yaml": SAME_SIZE,
    "smaller.yaml": SMALLER,
  }
  const here = reconcileFixture(files, {
    rules: R1,
    settings: { guard: GUARD, ...settings },
    changeKube: (kube) => ({
      ...kube,
      async get(namespace, name, signal) {
        if (namespace === "bad" && bad.isForbidden) {
          throw new KubeError("kube/forbidden", `configmaps "${name}" is forbidden`, { status: 403 })
        }
        return kube.get(namespace, name, signal)
      },
    }),
  })
  return { here, bad }
}

/** A run of a program of its own with rules at this path. */
function runWith(
  here: ReconcileFixture,
  rulesPath: string,
  mode: "incremental" | "full" = "incremental",
): Promise<ReconcileOutcome> {
  const settings = { ...here.ports.settings, rulesPath }
  const ports = { ...here.ports, memory: createReconcileMemory(), settings }
  return reconcile({ cluster: "east", source: "release", mode }, ports, quiet)
}

/** Digest of the files that agents see of `bad/beta`. */
async function storedIndex(here: ReconcileFixture): Promise<string | undefined> {
  const { root } = await here.record()
  const targets = await listTargets(root ?? "", async (digest) => {
    const object = await here.kube.get("headrace", storeObjectName("index", digest))
    return parseIndex(openStoreConfigMap(object as ConfigMap, digest), digest)
  })
  return targets.find(({ name }) => name === "beta")?.index
}

async function keysOfBeta(here: ReconcileFixture): Promise<string[]> {
  const { VERSION: _, ...data } = (await here.kube.get("bad", "beta"))?.data ?? {}
  return Object.values(data)
}

/** A run under rules.yaml, then one under other rules while the namespace cannot be read. */
async function changedWhileForbidden(rulesPath: string, settings: Partial<ReconcileSettings> = {}) {
  const { here, bad } = fixture(settings)
  await here.run()
  bad.isForbidden = true
  expect(await runWith(here, rulesPath)).toMatchObject({
    result: "applied",
    failed: [{ target: "bad/beta" }],
  })
  bad.isForbidden = false
  return here
}

async function removeFailures(here: ReconcileFixture): Promise<void> {
  const { failures } = await here.record()
  if (failures === null) return
  await here.kube.remove((await here.kube.get("headrace", storeObjectName("index", failures))) as ConfigMap)
}

/** What may happen between the change of settings and the run that can read the target again. */
const between: { [what: string]: (here: ReconcileFixture) => Promise<unknown> } = {
  "without a further commit": async () => {},
  "with a commit of another target": async (here) => here.commit({ "a/x.txt": "2" }),
  "though the list of failures is lost": removeFailures,
  "after a commit whose rules do not parse": async (here) => {
    const tip = here.repository.tip()
    here.commit({ "same.yaml": "{", "smaller.yaml": "{" })
    await runWith(here, "same.yaml", "full")
    await runWith(here, "smaller.yaml", "full")
    const good = here.repository.filesAt(tip)
    here.commit({ "same.yaml": good.get("same.yaml"), "smaller.yaml": good.get("smaller.yaml") })
  },
}

describe.each(Object.entries(between))(
  "a target that could not be read while settings changed, %s",
  (_, then) => {
    it("gets its new content, in the store too, when it can be read again", async () => {
      const here = await changedWhileForbidden("same.yaml")
      const before = await storedIndex(here)
      await then(here)
      expect(await runWith(here, "same.yaml")).toMatchObject({ result: "applied", failed: [], stopped: null })
      expect(await storedIndex(here)).not.toBe(before)
      expect(await keysOfBeta(here)).toContain("c 7")
      const rebuilt = await runWith(here, "same.yaml", "full")
      expect(rebuilt).toMatchObject({ result: "noop", written: 0 })
    })

    it.each([true, false])("loses nothing beyond the guard (store: %s)", async (store) => {
      const here = await changedWhileForbidden("smaller.yaml", { store })
      await then(here)
      for (const mode of ["incremental", "full", "incremental"] as const) {
        expect(await runWith(here, "smaller.yaml", mode)).toMatchObject({
          stopped: { code: "guard/deleted-keys" },
        })
      }
      expect(await keysOfBeta(here)).toHaveLength(40)
      const operator = { ...here.ports, namespace: "headrace", source: "release" }
      await approveCommit(operator, here.repository.tip(), quiet)
      expect(await runWith(here, "smaller.yaml")).toMatchObject({
        result: "applied",
        failed: [],
        stopped: null,
      })
      expect(await keysOfBeta(here)).toEqual(["d 0"])
    })
  },
)

describe("a target that could not be read while settings changed, when rules that do not parse stop its source", () => {
  async function stopped(rulesPath: string): Promise<ReconcileFixture> {
    const here = await changedWhileForbidden(rulesPath)
    here.commit({ [rulesPath]: "{" })
    return here
  }

  it.each(["incremental", "full"] as const)("gets what the last good commit gives it (%s)", async (mode) => {
    const here = await stopped("same.yaml")
    const outcome = await runWith(here, "same.yaml", mode)
    expect(outcome).toMatchObject({ failed: [], stopped: { code: "rules/invalid" } })
    expect(await keysOfBeta(here)).toContain("c 7")
    expect(await runWith(here, "same.yaml", "full")).toMatchObject({ written: 0, failed: [] })
  })

  it("keeps what the guard does not let pass", async () => {
    const here = await stopped("smaller.yaml")
    for (const mode of ["incremental", "full", "incremental"] as const) {
      expect(await runWith(here, "smaller.yaml", mode)).toMatchObject({
        failed: [{ target: "bad/beta" }],
        stopped: { code: "rules/invalid" },
      })
    }
    expect(await keysOfBeta(here)).toHaveLength(40)
  })
})

it("a target that could be read and not be written is judged once", async () => {
  let isReadOnly = false
  const here = reconcileFixture(
    { "a/x.txt": "1", ...filesOf("b", 40), ...filesOf("e", 60) },
    {
      rules: `${R1}    e/*.txt: {name: epsilon, clusters: {east: [ci]}}\n`,
      settings: { guard: GUARD },
      changeKube: (kube) => ({
        ...kube,
        async replace(configMap, signal) {
          if (configMap.metadata.namespace === "bad" && isReadOnly)
            throw new KubeError("kube/forbidden", "no rights", { status: 403 })
          return kube.replace(configMap, signal)
        },
      }),
    },
  )
  await here.run()
  isReadOnly = true
  const twenty = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`b/${index}.txt`, undefined]))
  here.commit(twenty)
  expect(await here.run()).toMatchObject({ result: "applied", failed: [{ target: "bad/beta" }] })
  isReadOnly = false
  expect(await here.run()).toMatchObject({ result: "applied", failed: [], stopped: null })
  expect(await keysOfBeta(here)).toHaveLength(20)
})
