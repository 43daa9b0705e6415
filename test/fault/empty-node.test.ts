import { chmodSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { describe, expect, it } from "vitest"
import { type ReconcileFixture, reconcileFixture } from "../harness/reconcile-fixture.ts"
import { shown } from "../harness/shown-files.ts"
import { projectionYaml, untilReady, withAgent } from "../harness/with-agent.ts"
import { runAgentProgram, withAgentProcess } from "../harness/with-agent-process.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { writeRevision } from "../harness/write-revision.ts"

const FROM = "[{configMap: ci/alpha, under: a}, {configMap: ci/beta, under: b, names: paths}]"
const OLD = { "a/x.txt": "1", "b/deep/y.txt": "1" }
const NEW = { "a/x.txt": "2", "b/deep/y.txt": "2", "b/z.txt": "2" }
/** What the projection shows of them. */
const SHOWN = {
  old: { "a/x.txt": "1", "b/b/deep/y.txt": "1" },
  new: { "a/x.txt": "2", "b/b/deep/y.txt": "2", "b/b/z.txt": "2" },
}
const log = createLog("test", { level: "silent" })
const never = new AbortController().signal

/** Reconciles a fixture into a server; before each write that the server gets, `beforeWrite` runs to its end. */
async function reconcileInto(
  kube: TestKube,
  { ports }: ReconcileFixture,
  beforeWrite: (what: string) => Promise<void>,
): Promise<void> {
  const inner = inProcessClient(kube.store)
  const gated: ConfigMapWriter = {
    ...inner,
    async create(configMap) {
      await beforeWrite(`create ${configMap.metadata.name}`)
      return inner.create(configMap)
    },
    async replace(configMap) {
      await beforeWrite(`replace ${configMap.metadata.name}`)
      return inner.replace(configMap)
    },
  }
  const { memory: _, ...rest } = ports
  const outcome = await reconcile(
    { cluster: "east", source: "release", mode: "incremental" },
    { ...rest, kube: gated },
    never,
  )
  expect(outcome).toMatchObject({ result: "applied", failed: [] })
}

describe("a node that starts empty", () => {
  it("shows the old revision at any write of a reconcile, whole, and all show the new one at its end", async () => {
    await withFolder((folder) =>
      withKube(async (kube) => {
        const world = reconcileFixture(OLD)
        await reconcileInto(kube, world, async () => undefined)
        const commit = world.commit(NEW)
        const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log })
        const moments: string[] = []
        async function startEmpty(what: string): Promise<void> {
          const node = join(folder, `node-${moments.length}`)
          moments.push(what.replace(/-[0-9a-f]{40,}$/, ""))
          await withAgent(client, projectionYaml(node, FROM), async (agent) => {
            await untilReady(agent)
            expect(await shown(join(node, "shown"))).toEqual(SHOWN.old)
          })
        }
        try {
          await reconcileInto(kube, world, startEmpty)
          await withAgent(client, projectionYaml(join(folder, "last"), FROM), async (agent) => {
            await untilReady(agent)
            expect(agent.projections()[0]?.shown?.id).toBe(commit)
            expect(await shown(join(folder, "last/shown"))).toEqual(SHOWN.new)
          })
          // Intent, shards, indexes, both ConfigMaps, record.
          expect(moments.length).toBeGreaterThan(6)
          expect(new Set(moments)).toEqual(
            new Set(["replace release", "create shard", "create index", "replace alpha", "replace beta"]),
          )
        } finally {
          client.close()
        }
      }),
    )
  })

  it("says that there is no revision yet during the first reconcile, as a real agent, and shows it at its end", async () => {
    await withFolder((folder) =>
      withKube(async (kube) => {
        const settings = `projections: {shown: {path: ${folder}/shown, from: ${FROM}}}\n`
        const { kubeconfigFile } = kube
        await withAgentProcess({ folder, kubeconfigFile, settings }, async (agent) => {
          const said = new Set<string>()
          await reconcileInto(kube, reconcileFixture(NEW), async () => {
            const { status, text } = await agent.ask("/readyz")
            expect(status).toBe(503)
            said.add(text)
          })
          expect([...said].join()).toMatch(/there is no record headrace\/release|has no revision yet/)
          await endsReady(agent, "the first reconcile")
          expect(await shown(join(folder, "shown"))).toEqual(SHOWN.new)
        })
      }),
    )
  })

  it.each(["is down", "takes connections and answers nothing", "answers 503", "refuses every credential"])(
    "waits as a real agent while the API server %s, saying so, and shows a revision when that ends",
    async (outage) => {
      await withFolder((folder) =>
        withKube(async (kube) => {
          await reconcileInto(kube, reconcileFixture(NEW), async () => undefined)
          const end = await beginOutage(kube, outage)
          const settings = `projections: {shown: {path: ${folder}/shown, from: ${FROM}}}\n`
          const { kubeconfigFile } = kube
          await withAgentProcess({ folder, kubeconfigFile, settings }, async (agent) => {
            await expect
              .poll(() => agent.ask("/readyz"))
              .toEqual({ status: 503, text: expect.stringMatching(/^record not read yet: .+/) })
            expect((await agent.ask("/healthz")).status).toBe(200)
            const close = await end()
            try {
              await endsReady(agent, `an API server that ${outage}`)
              expect(await shown(join(folder, "shown"))).toEqual(SHOWN.new)
            } finally {
              await close()
            }
          })
        }),
      )
    },
  )

  it("names as a real agent the target and the object that block it, and shows all when that is there", async () => {
    await withFolder((folder) =>
      withKube(async (kube) => {
        const writer = inProcessClient(kube.store)
        await writeRevision(writer, {
          seq: 1,
          targets: { "ci/alpha": { x: "1" }, "ci/beta": { "b/y": "1" } },
        })
        const { items } = await writer.list("headrace", {})
        const shard = items.find(({ metadata }) => metadata.name.startsWith("shard-"))
        if (shard === undefined) throw new Error("there is no shard")
        kube.store.remove(CONFIG_MAPS, "headrace", shard.metadata.name)
        const settings = `projections: {shown: {path: ${folder}/shown, from: ${FROM}}}\n`
        await withAgentProcess({ folder, kubeconfigFile: kube.kubeconfigFile, settings }, async (agent) => {
          await expect
            .poll(async () => (await agent.ask("/readyz")).text)
            .toMatch(
              new RegExp(
                `waits for ConfigMap ci/(alpha|beta): store/missing: headrace/${shard.metadata.name} is not there`,
              ),
            )
          const { resourceVersion: _, ...metadata } = shard.metadata
          await writer.create({ ...shard, metadata })
          await endsReady(agent, "a missing shard")
        })
      }),
    )
  })
})

const DAMAGES: [string, (path: string) => void][] = [
  ["a manifest that is none", (path) => overwrite(newest(path, "manifest.json"), "{")],
  ["a file of other content", (path) => overwrite(join(path, "..data/a/x.txt"), "damaged")],
  ["a revision that has gone", (path) => rmSync(newest(path), { recursive: true })],
  ["a link that is gone", (path) => unlinkSync(join(path, "..data"))],
  ["a link to nowhere", (path) => relink(path, "..rev/0099/gone")],
  ["a store that is gone", (path) => rmSync(join(path, "..rev"), { recursive: true })],
  ["notes and knowledge that are none", overwriteNotes],
]

it("shows a complete revision after a restart as a real agent, whatever of its store was damaged", {
  timeout: 180_000,
}, async () => {
  await withFolder((folder) =>
    withKube(async (kube) => {
      await reconcileInto(kube, reconcileFixture(NEW), async () => undefined)
      const config = join(folder, "agent.yaml")
      await writeFile(
        config,
        `version: 1\nrecord: headrace/release\nkubeconfig: ${kube.kubeconfigFile}\nprojections: {shown: {path: ${folder}/shown, keep: {revisions: 1, age: 0s}, from: ${FROM}}}\n`,
      )
      const once = ["--config", config, "--once", "--timeout", "20s"]
      expect(await runAgentProgram(once).ended).toBe(0)
      for (const [damage, inflict] of DAMAGES) {
        inflict(join(folder, "shown"))
        const again = runAgentProgram(once)
        expect([damage, await again.ended, again.errors()]).toEqual([damage, 0, ""])
        expect(await shown(join(folder, "shown")), damage).toEqual(SHOWN.new)
      }
    }),
  )
})

/** Gives what ends the outage, which gives what closes the server that has come up. */
async function beginOutage(kube: TestKube, outage: string): Promise<() => Promise<() => Promise<void>>> {
  const nothing = async () => undefined
  if (outage === "is down") {
    await kube.close()
    return async () => {
      const { port, token, store } = kube
      return (await startEmbeddedKube({ port, token, store })).close
    }
  }
  if (outage === "refuses every credential") {
    kube.setTokens(["another"])
    return async () => {
      kube.setTokens([kube.token])
      return nothing
    }
  }
  const answer =
    outage === "answers 503" ? ({ kind: "status", status: 503 } as const) : ({ kind: "hang" } as const)
  kube.faults.plan({ answer, times: 10_000 })
  return async () => {
    kube.faults.clear()
    // A server that comes back has lost the connections that hung.
    kube.dropConnections()
    return nothing
  }
}

/** Waits for /readyz and prints how long that took. */
async function endsReady(agent: { ask(path: string): Promise<unknown> }, cause: string): Promise<void> {
  const ended = performance.now()
  await expect.poll(() => agent.ask("/readyz")).toEqual({ status: 200, text: "ok\n" })
  const seconds = (performance.now() - ended) / 1000
  process.stdout.write(`an empty node was whole ${seconds.toFixed(2)} s after the end of ${cause}\n`)
}

/** A name in the newest slot of a projection's store. */
function newest(path: string, ...names: string[]): string {
  const slots = readdirSync(join(path, "..rev")).filter((name) => /^\d+$/.test(name))
  return join(path, "..rev", slots.sort().at(-1) ?? "", ...names)
}

function overwrite(file: string, text: string): void {
  chmodSync(file, 0o644)
  writeFileSync(file, text)
}

function relink(path: string, target: string): void {
  unlinkSync(join(path, "..data"))
  symlinkSync(target, join(path, "..data"))
}

function overwriteNotes(path: string): void {
  for (const folder of ["..known", "..rev"].map((name) => join(path, name))) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isFile() && entry.name !== "lock") overwrite(join(folder, entry.name), "no\nsense")
    }
  }
}
