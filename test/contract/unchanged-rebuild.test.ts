import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { expect, it } from "vitest"
import { quiet, RULES } from "../harness/reconcile-fixture.ts"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { modelRepository } from "../model/model-repository.ts"
import { contract } from "./contract-suite.ts"

const MIB = 1024 * 1024
const REQUEST = { cluster: "east", source: "release", mode: "full" } as const

contract("a rebuild", (given) => {
  it("of an unchanged tree sends no write to the API server, by a new process either", async () => {
    const { server, namespace } = given()
    const [own, target] = [await namespace(), await namespace()]
    const large = "0123456789abcdef".repeat(MIB / 4)
    const files = new Map([
      ["rules.yaml", `${RULES.replaceAll("[ci]", `[${target}]`)}    large: {name: large, view: false}\n`],
      ["a/x.txt", "one"],
      ["b/deep/y.txt", "two"],
      ["large", large],
    ])
    const repository = modelRepository(files)
    const settings = { namespace: own, defaults: { cluster: "east", namespace: target } }
    const ports = reconcilePorts({ kube: server.adapter, repository, settings })
    expect(await reconcile(REQUEST, ports, quiet)).toMatchObject({ result: "applied", failed: [] })

    const before = await server.writes()
    expect(await reconcile(REQUEST, ports, quiet)).toMatchObject({ result: "noop", written: 0 })
    const another = { ...ports, memory: createReconcileMemory() }
    expect(await reconcile(REQUEST, another, quiet)).toMatchObject({ result: "noop", written: 0 })
    expect(await server.writes()).toBe(before)

    // One file: the intent, a shard, the target's index, the root, the ConfigMap and the swap.
    repository.push(repository.add([repository.tip()], new Map(files).set("a/x.txt", "three")))
    expect(await reconcile(REQUEST, another, quiet)).toMatchObject({ result: "applied", written: 4 })
    expect(await server.writes()).toBe(before + 6)
  })
})
