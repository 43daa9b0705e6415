import { createHash } from "node:crypto"
import { reconcilePorts } from "@headrace/test/harness/reconcile-ports"
import { modelRepository } from "@headrace/test/model/model-repository"
import { assemble } from "@headrace/test/model/store-view"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { configMapSize } from "../foundation/config-map.ts"
import { readRecord } from "../record/record-config-map.ts"
import { reconcile } from "./reconcile.ts"

const RULES = "config_updater: {maps: {'big/**': {name: big, use_full_path_as_key: true, view: false}}}"
const MIB = 1024 * 1024

/** Text that does not compress to nothing: hex of hashes. */
function text(seed: string, bytes: number): string {
  const lines: string[] = []
  for (let count = 0; count * 64 < bytes; count++) {
    lines.push(createHash("sha256").update(`${seed} ${count}`).digest("hex"))
  }
  return lines.join("").slice(0, bytes)
}

it("carries a file of 20 MiB and 400 others, each object within the limit, and a change as one shard", async () => {
  const files = new Map([["rules.yaml", RULES]])
  files.set("big/one", text("one", 20 * MIB))
  for (let number = 0; number < 400; number++) files.set(`big/${number}`, text(String(number), 20_000))
  const repository = modelRepository(files)
  const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
  const ports = reconcilePorts({ kube, repository, settings: { guard: "off" } })
  const signal = new AbortController().signal
  const request = { cluster: "east", source: "release", mode: "incremental" as const }
  expect(await reconcile(request, ports, signal)).toMatchObject({ result: "applied", failed: [] })

  const { items } = await kube.list("headrace", { labelSelector: "app.kubernetes.io/name=headrace" })
  expect(items.length).toBeGreaterThan(60)
  for (const item of items) expect(configMapSize(item)).toBeLessThanOrEqual(MIB)

  files.set("big/7", text("changed", 20_000))
  repository.push(repository.add([repository.tip()], files))
  // The shard, the target's index and the root; the record is not counted.
  expect(await reconcile(request, ports, signal)).toMatchObject({ result: "applied", written: 3 })

  const record = await kube.get("headrace", "release")
  const root = (record && readRecord(record).root) ?? ""
  const found = (await assemble(kube, "headrace", root)).get("ci/big")
  const { "rules.yaml": _, ...expected } = Object.fromEntries(files)
  for (const [path, content] of Object.entries(expected))
    expect(found?.get(path.replaceAll("/", "-"))).toBe(content)
  expect(found?.size).toBe(401)
})
