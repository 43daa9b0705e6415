import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { packShard } from "@headrace/shared/bundle/pack-shard"
import { storeConfigMap } from "@headrace/shared/bundle/store-config-map"
import type { StoreObject } from "@headrace/shared/bundle/store-file"
import { buildFilesIndex, buildTargetsIndex } from "@headrace/shared/record/build-index"
import { newRecord } from "@headrace/shared/record/record"
import { recordConfigMap } from "@headrace/shared/record/record-config-map"
import { withFolder } from "../harness/with-folder.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { type Confinement, runConfined } from "./confined-program.ts"
import { startHostileKube } from "./hostile-kube.ts"
import { startPatience } from "./patience.ts"
import { shippedLimit } from "./shipped-limit.ts"

const NAMESPACE = "headrace"
const FILE_BYTES = 95_000_000
const FILES = 8

/** An agent under its shipped memory limit, and an API server whose answers do not end. */
export async function attackAgentByAnswers(): Promise<Confinement & { named: readonly string[] }> {
  return withFolder(async (folder) => {
    const hostile = await startHostileKube()
    try {
      const [config, kubeconfig] = [join(folder, "agent.yaml"), join(folder, "kubeconfig")]
      await writeFile(kubeconfig, hostile.kubeconfig)
      const small = { path: join(folder, "small"), from: [{ configMap: "ci/small" }], durability: "none" }
      await writeFile(config, agentSettings(kubeconfig, { small }))
      const named: string[] = []
      const measured = await runConfined("agent", ["--config", config], LIMITS, async ({ log, isAlive }) => {
        const patience = startPatience("agent, by answers", isAlive)
        const url = String(log().find(({ msg }) => msg === STARTED)?.url)
        await patience.until("an API server whose answers have no end: named, five times", async () => {
          const line = lineWith(
            await textOf(`${url}/metrics`),
            'headrace_bound_breaches_total{bound="answer"',
          )
          if (Number(line.split(" ").at(-1)) < 5) return false
          return named.push(line) > 0
        })
        await expectHealthy(url)
      })
      return { ...measured, named }
    } finally {
      hostile.close()
    }
  })
}

/**
 * Eight files of 95 MB of zeros, a few hundred kilobytes packed, beside a small target: the agent must go on showing the
 * small one, and name the other, within its shipped memory limit.
 */
export async function attackAgent(): Promise<Confinement & { named: readonly string[] }> {
  return withKube((kube) =>
    withFolder(async (folder) => {
      await writeStore(kube)
      const config = join(folder, "agent.yaml")
      const projection = (name: string) => ({
        path: join(folder, name),
        from: [{ configMap: `ci/${name}` }],
        durability: "none",
      })
      const projections = { zeros: projection("zeros"), small: projection("small") }
      await writeFile(config, agentSettings(kube.kubeconfigFile, projections))
      const named: string[] = []
      const measured = await runConfined("agent", ["--config", config], LIMITS, async ({ log, isAlive }) => {
        const patience = startPatience("agent", isAlive)
        const url = String(log().find(({ msg }) => msg === STARTED)?.url)
        const metrics = () => textOf(`${url}/metrics`)
        await patience.until("the small target is shown", async () =>
          (await metrics()).includes('projection_ready{projection="small"} 1'),
        )
        await patience.until("eight files of 95 MB of zeros: named", async () =>
          (await metrics()).includes('bound="file"'),
        )
        named.push(lineWith(await metrics(), "headrace_bound_breaches_total{"))
        named.push(lineWith(await textOf(`${url}/readyz`), "zeros-"))
        await expectHealthy(url)
      })
      return { ...measured, named }
    }),
  )
}

const STARTED = "agent started"
const LIMITS = { limit: shippedLimit("agent/daemonset.yaml"), started: STARTED }

function agentSettings(kubeconfig: string, projections: object): string {
  const record = `${NAMESPACE}/release`
  return JSON.stringify({ version: 1, record, kubeconfig, listen: "127.0.0.1:0", projections })
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text()
}

async function expectHealthy(url: string): Promise<void> {
  const { status } = await fetch(`${url}/healthz`)
  if (status !== 200) throw new Error(`agent: /healthz answers ${status}`)
}

function lineWith(text: string, part: string): string {
  return text.split("\n").find((line) => line.includes(part)) ?? ""
}

/** The store and the record, as a writer without bounds would have left them. */
async function writeStore(kube: TestKube): Promise<void> {
  const client = inProcessClient(kube.store)
  const written = new Map<string, StoreObject>()
  const zeros = Buffer.alloc(FILE_BYTES)
  const targets = [
    target("small", [["a.txt", Buffer.from("small\n")]]),
    target(
      "zeros",
      Array.from({ length: FILES }, (_, index) => [`zeros-${index}`, zeros]),
    ),
  ]
  const root = buildTargetsIndex(targets.map(({ entry }) => entry))
  for (const object of [...targets.flatMap(({ objects }) => objects), ...root.objects])
    written.set(object.digest, object)
  for (const object of written.values()) await client.create(storeConfigMap(NAMESPACE, object))
  const record = { ...newRecord("release", { epoch: 0, seq: 1 }), commit: "c".repeat(40), root: root.root }
  await client.create(recordConfigMap(NAMESPACE, record, { committedAt: undefined }))
}

function target(name: string, files: readonly [key: string, content: Buffer][]) {
  const shards = files.map(([key, content], index) => {
    const file = { key, path: key, oid: key, size: content.length, executable: false, gzip: false }
    const prefix = files.length === 1 ? "" : index.toString(16)
    const { shard, parts } = packShard({ prefix, files: [file], fingerprint: key }, [content])
    const digests = parts.map(({ digest }) => digest)
    const entry = { prefix, shard: shard.digest, files: 1, bytes: content.length, parts: digests }
    return { objects: [shard, ...parts], entry }
  })
  const index = buildFilesIndex(shards.map(({ entry }) => entry))
  const bytes = files.reduce((sum, [, content]) => sum + content.length, 0)
  return {
    objects: [...shards.flatMap(({ objects }) => objects), ...index.objects],
    entry: { namespace: "ci", name, index: index.root, files: files.length, bytes },
  }
}
