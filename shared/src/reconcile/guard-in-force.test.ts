import {
  quiet,
  type ReconcileFixture,
  type ReconcileFixtureOptions,
  reconcileFixture,
} from "@headrace/test/harness/reconcile-fixture"
import { modelRepository } from "@headrace/test/model/model-repository"
import { describe, expect, it } from "vitest"
import { openStoreConfigMap, storeObjectName } from "../bundle/store-config-map.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { KubeError } from "../kube/kube-error.ts"
import { createLog } from "../observe/log.ts"
import { listTargets, parseIndex } from "../record/walk-index.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"
import { approveCommit } from "./operate/approve-commit.ts"
import { holdSource, releaseSource, rewindSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"
import { changeRecord } from "./record/change-record.ts"
import { createReconcileMemory } from "./run/memory.ts"
import type { ReconcilePorts, ReconcileSettings } from "./run/ports.ts"

const GUARD = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
const REQUEST = { cluster: "east", source: "release", mode: "incremental" } as const
const DROPPED = "    d/*.txt: {name: dropped, clusters: {east: [ci]}}\n"
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    s/*.txt: {name: stored, view: false, clusters: {east: [ci]}}
${DROPPED}`

type Changes = { [path: string]: string | undefined }

function filesOf(folder: string, count: number, content: (index: number) => string | undefined): Changes {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`${folder}/${index}.txt`, content(index)]),
  )
}

const FORTY = {
  "a/1.txt": "x",
  ...filesOf("s", 40, (i) => `s${i}`),
  ...filesOf("d", 40, (i) => `d${i}`),
} as {
  [path: string]: string
}

function fixture(files: { [path: string]: string } = FORTY, options: ReconcileFixtureOptions = {}) {
  return reconcileFixture(files, {
    rules: RULES,
    ...options,
    settings: { guard: GUARD, ...options.settings },
  })
}

/** `name:files` of every target of the root in force. */
async function inStore(here: ReconcileFixture): Promise<string> {
  const { root } = await here.record()
  if (root === null) return ""
  const targets = await listTargets(root, async (digest) => {
    const object = await here.kube.get("headrace", storeObjectName("index", digest))
    if (object === undefined) throw new Error(`no ${digest}`)
    return parseIndex(openStoreConfigMap(object, digest), digest)
  })
  return targets.map(({ name, files }) => `${name}:${files}`).join(" ")
}

/** Another process: it has other settings, or reads from git otherwise, and remembers nothing. */
function other(
  here: ReconcileFixture,
  settings: Partial<ReconcileSettings>,
  ports: Partial<ReconcilePorts> = {},
) {
  return {
    ...here.ports,
    memory: createReconcileMemory(),
    settings: { ...here.ports.settings, ...settings },
    ...ports,
  }
}

const ALL = "alpha:1 dropped:40 stored:40"
const operator = (here: ReconcileFixture) => ({ ...here.ports, namespace: "headrace", source: "release" })

const emptied: { [what: string]: Changes } = {
  "the files of a target in the store alone": filesOf("s", 40, () => undefined),
  "a rule": { "rules.yaml": RULES.replace(DROPPED, "") },
  "the contents of a target": filesOf("s", 40, () => ""),
  "the contents of a target, but for line ends": filesOf("d", 40, () => "\n"),
  "the contents of a target, but for blanks": filesOf(
    "s",
    40,
    (i) => [" ", "\n\n", "\t\r\n", " \n\t\n"][i % 4],
  ),
  "the contents of a target, but for many blanks": filesOf(
    "d",
    40,
    (i) => ["\n".repeat(9), " ".repeat(12), `${" ".repeat(40)}\n`, `${"\t".repeat(5)}\r\n`][i % 4],
  ),
}

describe.each(Object.entries(emptied))("a commit that takes away %s", (_, changes) => {
  it("is stopped, whichever settings come after", async () => {
    const here = fixture()
    await here.run()
    here.commit(changes)
    for (const mode of ["incremental", "full"] as const) {
      expect(await here.run(mode)).toMatchObject({
        result: "stopped",
        stopped: { code: "guard/deleted-keys" },
      })
    }
    const more = new Map([...here.ports.settings.clusters, ["new", {}] as const])
    const grown = other(here, { clusters: more })
    expect(await reconcile(REQUEST, grown, quiet)).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    expect(await inStore(here)).toBe(ALL)
  })

  it("is stopped where the record is lost", async () => {
    const here = fixture()
    await here.run()
    here.commit(changes)
    await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" }, commit: null })
  })

  it("fails, and does nothing, while git does not answer for what is in force", async () => {
    const here = fixture()
    await here.run()
    const shown = here.repository.tip()
    here.commit(changes)
    const timeout = new HeadraceError("git/timeout", "git took too long")
    const repository = {
      ...here.repository,
      tree: (commit: string) => (commit === shown ? Promise.reject(timeout) : here.repository.tree(commit)),
    }
    const slow = other(here, {}, { repository, rulesRepository: repository })
    await expect(reconcile(REQUEST, slow, quiet)).rejects.toBe(timeout)
    expect(await inStore(here)).toBe(ALL)
  })

  it("fails, and does nothing, while the API server does not answer for the store", async () => {
    let refused = false
    const here = fixture(FORTY, {
      changeKube: (kube) => ({
        ...kube,
        async get(namespace, name, signal) {
          if (refused && name.startsWith("index-"))
            throw new KubeError("kube/unavailable", "503", { status: 503 })
          return kube.get(namespace, name, signal)
        },
      }),
    })
    await here.run()
    here.commit(changes)
    refused = true
    const strict = other(here, { strict: true })
    await expect(reconcile(REQUEST, strict, quiet)).rejects.toMatchObject({ code: "kube/unavailable" })
    refused = false
    expect(await inStore(here)).toBe(ALL)
  })
})

describe("what a store has lost", () => {
  it("stops settings that give what is in force another meaning, until that commit is approved", async () => {
    const here = fixture()
    await here.run()
    const { root } = await here.record()
    await here.kube.remove(
      (await here.kube.get("headrace", storeObjectName("index", root ?? ""))) as ConfigMap,
    )
    const strict = other(here, { strict: true })
    expect(await reconcile(REQUEST, strict, quiet)).toMatchObject({ stopped: { code: "guard/unknown" } })
    await approveCommit(operator(here), here.repository.tip(), quiet)
    expect(await reconcile(REQUEST, strict, quiet)).toMatchObject({ result: "applied", stopped: null })
    expect(await inStore(here)).toBe(ALL)
  })

  it.each([
    ["its latest root is damaged", 1],
    ["all its roots are damaged", 2],
  ])(
    "stops a source whose record is lost too, when %s, until that commit is approved",
    async (_, damaged) => {
      const here = fixture()
      await here.run()
      const roots = [(await here.record()).root]
      here.commit({ "a/1.txt": "y" })
      await here.run()
      roots.unshift((await here.record()).root)
      for (const root of roots.slice(0, damaged)) {
        const name = storeObjectName("index", root ?? "")
        const object = (await here.kube.get("headrace", name)) as ConfigMap
        await here.kube.remove(object)
        const { resourceVersion: _v, uid: _u, ...metadata } = object.metadata
        await here.kube.create({ ...object, metadata, binaryData: { payload: "AAAA" } })
      }
      await here.kube.remove((await here.kube.get("headrace", "release")) as ConfigMap)
      here.commit(filesOf("s", 40, () => undefined))
      for (const mode of ["incremental", "full"] as const) {
        const lost = other(here, {})
        const stopped = await reconcile({ ...REQUEST, mode }, lost, quiet)
        expect(stopped).toMatchObject({ stopped: { code: "guard/unknown" }, commit: null })
        expect(stopped.stopped?.message).toContain("record is lost")
      }
      await approveCommit(operator(here), here.repository.tip(), quiet)
      expect(await reconcile(REQUEST, other(here, {}), quiet)).toMatchObject({
        result: "applied",
        stopped: null,
      })
    },
  )

  it("stops nothing where the plan in force says it", async () => {
    const here = fixture()
    await here.run()
    const { root } = await here.record()
    await here.kube.remove(
      (await here.kube.get("headrace", storeObjectName("index", root ?? ""))) as ConfigMap,
    )
    here.ports.memory = createReconcileMemory()
    here.commit({ "a/1.txt": "y" })
    expect(await here.run()).toMatchObject({ result: "applied" })
    expect(await inStore(here)).toBe(ALL)
  })
})

describe("named ConfigMaps that no rule names any more", () => {
  const LESS = RULES.replace(DROPPED, "")
  const TARGETS = { ...FORTY, "less.yaml": LESS }
  const less = (here: ReconcileFixture, settings: Partial<ReconcileSettings> = {}) =>
    reconcile(REQUEST, other(here, { rulesPath: "less.yaml", ...settings }), quiet)
  const stops = { result: "stopped", stopped: { code: "guard/deleted-keys" } }

  it("count when settings drop them, where there is no store", async () => {
    const here = fixture(TARGETS, { settings: { store: false } })
    await here.run()
    expect(await less(here)).toMatchObject(stops)
    await approveCommit(
      { ...operator(here), ...other(here, { rulesPath: "less.yaml" }) },
      here.repository.tip(),
      quiet,
    )
    expect(await less(here)).toMatchObject({ result: "applied" })
  })

  it("count when settings drop them and turn the store off, what the store alone holds too", async () => {
    const here = fixture(TARGETS)
    await here.run()
    expect(await less(here, { store: false })).toMatchObject(stops)
    here.commit({ "less.yaml": LESS.replace("    s/", "    none/") })
    expect(await less(here, { store: false })).toMatchObject(stops)
  })

  it("count where the record is lost, and the store too", async () => {
    const here = fixture(TARGETS)
    await here.run()
    for (const metadata of await here.kube.listMetadata("headrace", {})) await here.kube.remove({ metadata })
    expect(await less(here)).toMatchObject(stops)
  })

  it("are not known, and removed by nobody, where they may not be listed", async () => {
    const changeKube: ReconcileFixtureOptions["changeKube"] = (kube) => ({
      ...kube,
      async listMetadata(namespace, selection, signal) {
        if (namespace !== "headrace") throw new KubeError("kube/forbidden", "no list", { status: 403 })
        return kube.listMetadata(namespace, selection, signal)
      },
    })
    const here = fixture(TARGETS, { settings: { store: false }, changeKube })
    await here.run()
    expect(await less(here)).toMatchObject({ result: "applied" })
  })
})

describe("a target that was refused", () => {
  it.each([true, false])(
    "counts with what it holds when larger bounds let it pass, store: %s",
    async (store) => {
      const bounds = { ...DEFAULT_WRITER_BOUNDS, file: 100 }
      const here = fixture(FORTY, { settings: { store, bounds } })
      await here.run()
      here.commit({ ...filesOf("d", 40, () => undefined), "d/large.txt": "x".repeat(200) })
      expect(await here.run()).toMatchObject({ result: "applied", failed: [{ target: "ci/dropped" }] })
      const larger = other(here, { bounds: DEFAULT_WRITER_BOUNDS })
      expect(await reconcile(REQUEST, larger, quiet)).toMatchObject({
        stopped: { code: "guard/deleted-keys" },
      })
      expect(Object.keys(await here.data("dropped"))).toHaveLength(40)
    },
  )

  it("counts with what it still holds when its rule goes", async () => {
    const here = fixture()
    await here.run()
    const twice = `    x/*.txt: {name: dropped, view: false, clusters: {east: [ci]}}\n`
    here.commit({ "rules.yaml": RULES + twice, "x/0.txt": "x" })
    expect(await here.run()).toMatchObject({ result: "applied", failed: [{ target: "ci/dropped" }] })
    here.commit({ "rules.yaml": RULES.replace(DROPPED, "") })
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    expect(await inStore(here)).toBe(ALL)
  })
})

const RENAMED = "keys are renamed and keep their content"

describe("a rename that keeps every file", () => {
  it("passes and is logged as such, though every key of the target is another then", async () => {
    const rules =
      "config_updater: {maps: {'a/**/*.txt': {name: alpha, use_full_path_as_key: true, clusters: {east: [ci]}}}}"
    const here = fixture(filesOf("a/old", 60, (i) => `a${i}`) as { [path: string]: string }, { rules })
    await here.run()
    const logged: unknown[] = []
    const log = createLog("test", { destination: { write: (line) => void logged.push(JSON.parse(line)) } })
    Object.assign(here.ports, { log })
    here.commit({ ...filesOf("a/old", 60, () => undefined), ...filesOf("a/new", 60, (i) => `a${i}`) })
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    const first = { target: "ci/alpha", from: "a-old-0.txt", to: "a-new-0.txt" }
    expect(logged).toContainEqual(expect.objectContaining({ renamed: 60, first, msg: RENAMED }))
    expect(Object.keys(await here.data("alpha"))).toContain("a-new-59.txt")
    here.commit({ ...filesOf("a/new", 60, () => undefined), ...filesOf("a/next", 30, (i) => `a${i}`) })
    const stopped = await here.run()
    expect(stopped).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    expect(stopped.stopped?.message).toContain("would delete 30 of 60 keys")
    expect(stopped.stopped?.message).toContain("30 more are renamed")
  })
})

describe("several commits within hours", () => {
  const hundred = filesOf("a", 100, (i) => `a${i}`) as { [path: string]: string }

  function withClock() {
    let now = Date.UTC(2026, 0, 1)
    const here = fixture(hundred)
    here.ports.clock = { now: () => now, sleep: async () => {} }
    return { here, wait: (hours: number) => (now += hours * 3_600_000) }
  }
  const without = (from: number, to: number) =>
    Object.fromEntries(Array.from({ length: to - from }, (_, index) => [`a/${from + index}.txt`, undefined]))

  it("are judged by what they delete together, and waiting approves nothing", async () => {
    const { here, wait } = withClock()
    await here.run()
    here.commit(without(0, 20))
    expect(await here.run()).toMatchObject({ result: "applied" })
    wait(1)
    here.commit(without(20, 40))
    const stopped = await here.run()
    expect(stopped).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    expect(stopped.stopped?.message).toContain("with the 20 deleted shortly before 40 of 100")
    wait(48)
    expect(await here.run("full")).toMatchObject({ result: "stopped" })
    expect(await here.run()).toMatchObject({ result: "stopped" })
    expect(Object.keys(await here.data("alpha"))).toHaveLength(80)
    await approveCommit(operator(here), here.repository.tip(), quiet)
    expect(await here.run()).toMatchObject({ result: "applied", stopped: null })
    here.commit(without(40, 50))
    expect(await here.run(), "counting starts over").toMatchObject({ result: "applied" })
  })

  const reasons: {
    [what: string]: (here: ReconcileFixture, run: () => Promise<unknown>) => Promise<string>
  } = {
    "rules that do not parse": async (here, run) => {
      here.commit({ "rules.yaml": "{" })
      await run()
      here.commit({ "rules.yaml": RULES })
      return "rules/invalid"
    },
    "no rules": async (here, run) => {
      here.commit({ "rules.yaml": undefined })
      await run()
      here.commit({ "rules.yaml": RULES })
      return "rules/missing"
    },
    "a rewritten branch": async (here, run) => {
      const tip = here.repository.tip()
      const files = here.repository.filesAt(tip)
      here.repository.push(here.repository.add([], new Map([...files, ["a/new.txt", "x"]])))
      await run()
      here.repository.push(tip)
      return "git/diverged"
    },
    "settings of a rival": async (here, run) => {
      const rival = other(here, { settingsVersion: 3, allowForcePush: true })
      await reconcile(REQUEST, rival, quiet)
      await run()
      here.ports.settings = { ...here.ports.settings, settingsVersion: 4 }
      return "settings/conflict"
    },
  }

  it.each(Object.entries(reasons))(
    "are judged as one though %s stopped the source in between",
    async (_, stop) => {
      const { here, wait } = withClock()
      here.ports.settings = { ...here.ports.settings, settingsVersion: 3 }
      await here.run()
      here.commit(without(0, 20))
      await here.run()
      here.commit(without(20, 40))
      expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
      const code = await stop(here, async () => {
        await here.run()
        wait(48)
        await here.run("full")
        const { stopped } = await here.record()
        expect(stopped?.judged?.since).toBeDefined()
        codes.push(stopped?.code)
      })
      expect(codes.splice(0)).toEqual([code])
      expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
      expect(Object.keys(await here.data("alpha"))).toHaveLength(80)
    },
  )
  const codes: (string | undefined)[] = []

  it("do not count together when hours lie between them", async () => {
    const { here, wait } = withClock()
    await here.run()
    for (const from of [0, 20, 40]) {
      here.commit(without(from, from + 20))
      expect(await here.run()).toMatchObject({ result: "applied" })
      wait(7)
    }
  })

  it("are seen by a process that has just started", async () => {
    const { here } = withClock()
    await here.run()
    here.commit(without(0, 20))
    await here.run()
    here.commit(without(20, 40))
    here.ports.memory = createReconcileMemory()
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
  })
})

describe("what was begun or approved", () => {
  const SIXTY = { "c/y.txt": "1", ...filesOf("a", 60, (i) => `a${i}`) } as { [path: string]: string }
  const R1 =
    "config_updater: {maps: {'a/*.txt': {name: alpha, clusters: {east: [ci]}}, 'c/*.txt': {name: gamma, clusters: {east: [ci]}}}}"
  const R2 = R1.replace("a/*.txt", "none/*.txt")

  /** A change of `path` was begun under the first rules, and then the API server was away. */
  async function begunWith(path: string): Promise<ReconcileFixture> {
    let down = false
    const here = fixture(
      { ...SIXTY, "rules2.yaml": R2 },
      {
        rules: R1,
        changeKube: (kube) => ({
          ...kube,
          async create(configMap, signal) {
            if (down) throw new KubeError("kube/unavailable", "503", { status: 503 })
            return kube.create(configMap, signal)
          },
        }),
      },
    )
    await here.run()
    here.commit({ [path]: "2" })
    down = true
    await expect(here.run()).rejects.toMatchObject({ code: "kube/unavailable" })
    down = false
    expect((await here.record()).intents).toHaveLength(1)
    return here
  }

  it("was begun under its own settings: an open intent does not carry over to others", async () => {
    const here = await begunWith("c/y.txt")
    const changed = other(here, { rulesPath: "rules2.yaml" })
    for (const mode of ["incremental", "full"] as const) {
      expect(await reconcile({ ...REQUEST, mode }, changed, quiet)).toMatchObject({
        stopped: { code: "guard/deleted-keys" },
      })
    }
    expect(Object.keys(await here.data("alpha"))).toHaveLength(60)
    expect(await here.run(), "its own settings end it").toMatchObject({ result: "applied", stopped: null })
  })

  it("stays open under others, though it is no longer the guard that stops the source", async () => {
    const here = await begunWith("c/y.txt")
    // The branch goes back to before what was begun.
    here.repository.push(here.repository.parentsOf(here.repository.tip())[0] ?? "")
    const changed = other(here, { rulesPath: "rules2.yaml" })
    for (const mode of ["incremental", "full"] as const) {
      expect(await reconcile({ ...REQUEST, mode }, changed, quiet)).toMatchObject({
        stopped: { code: "git/diverged" },
      })
    }
    expect((await here.record()).intents).toHaveLength(1)
    expect(Object.keys(await here.data("alpha"))).toHaveLength(60)
  })

  it("was approved with its rules: another commit of their repository is not", async () => {
    const here = fixture(SIXTY, { rules: R1 })
    const rules = modelRepository(new Map([["rules.yaml", R1]]))
    here.ports.rulesRepository = rules
    await here.run()
    const tip = here.commit(filesOf("a", 30, () => undefined))
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    await approveCommit(operator(here), tip, quiet)
    rules.push(rules.add([rules.tip()], new Map([["rules.yaml", R2]])))
    const stopped = await here.run()
    expect(stopped.stopped?.message).toContain("60 of 61 keys")
    expect(Object.keys(await here.data("alpha"))).toHaveLength(60)
    await approveCommit(operator(here), tip, quiet)
    expect(await here.run()).toMatchObject({ result: "applied" })
    expect((await here.record()).approved).toBeNull()
  })

  it("was approved under its rules: a commit of the same id under others does not use that up", async () => {
    const here = fixture({ ...SIXTY, "rules2.yaml": R2.replace("none/*.txt", "a/*.txt") }, { rules: R1 })
    await here.run()
    const tip = here.commit(filesOf("a", 30, () => undefined))
    const [one, two] = [here.ports, other(here, { strict: true })]
    expect(await reconcile(REQUEST, one, quiet)).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    await approveCommit(operator(here), tip, quiet)
    const approved = (await here.record()).approved
    await rewindSource(
      { ...operator(here), settings: two.settings },
      { commit: tip, by: "me", reason: "r", until: null },
      quiet,
    )
    expect(await reconcile(REQUEST, two, quiet)).toMatchObject({ result: "applied" })
    expect((await here.record()).approved).toEqual(approved)
    expect(await reconcile(REQUEST, one, quiet)).toMatchObject({ result: "applied" })
    expect((await here.record()).approved).toBeNull()
  })

  it("was approved by an earlier version, which names no rules: its commit uses that up", async () => {
    const here = fixture(SIXTY, { rules: R1 })
    await here.run()
    const tip = here.commit({ "c/y.txt": "2" })
    const ports = { ...here.ports, namespace: "headrace", source: "release" }
    await changeRecord(
      ports,
      (record) => ({ ...record, approved: { commit: tip, rulesCommit: null, rules: null } }),
      quiet,
    )
    await here.run()
    expect((await here.record()).approved).toBeNull()
  })

  it("was rewound to under its own settings", async () => {
    const here = fixture({ ...SIXTY, "rules2.yaml": R2 }, { rules: R1 })
    const first = here.repository.tip()
    await here.run()
    here.commit({ "c/y.txt": "2" })
    await here.run()
    await rewindSource(operator(here), { commit: first, by: "me", reason: "back", until: null }, quiet)
    const changed = other(here, { rulesPath: "rules2.yaml" })
    expect(await reconcile(REQUEST, changed, quiet)).toMatchObject({
      stopped: { code: "guard/deleted-keys" },
    })
    expect(await here.run()).toMatchObject({ result: "applied", commit: first })
  })

  it("was only held: a hold approves no deletion", async () => {
    const here = fixture(SIXTY, { rules: R1 })
    await here.run()
    const tip = here.commit(filesOf("a", 30, () => undefined))
    await holdSource(operator(here), { commit: tip, by: "me", reason: "there", until: null }, quiet)
    expect(await here.run()).toMatchObject({ stopped: { code: "guard/deleted-keys" } })
    await releaseSource(operator(here), quiet)
  })
})

it("counts what a writer deletes whose clock is three days behind, and what others deleted before it", async () => {
  const here = fixture()
  await here.run()
  const behind = other(
    here,
    {},
    { clock: { ...here.ports.clock, now: () => here.ports.clock.now() - 72 * 3_600_000 } },
  )
  const results: string[] = []
  for (const [merge, ports] of [here.ports, behind, here.ports].entries()) {
    here.commit(
      Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`d/${merge * 8 + i}.txt`, undefined])),
    )
    const { result, stopped } = await reconcile(REQUEST, ports, quiet)
    results.push(stopped?.code ?? result)
  }
  expect(results).toEqual(["applied", "applied", "guard/deleted-keys"])
})
