import { expect, it } from "vitest"
import { systemClock } from "../foundation/clock.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { createReconcileMemory } from "../reconcile/run/memory.ts"
import { newRecord } from "../record/record.ts"
import { recordConfigMap } from "../record/record-config-map.ts"
import { collectFleet } from "./collect-fleet.ts"
import type { CollectPorts } from "./collect-ports.ts"
import { judgeFleet } from "./judge-fleet.ts"

const COMMIT = "a".repeat(40)
const never = () => new Promise<never>(() => undefined)

it("shows what answers beside git, Redis and a cluster that never do, each of which costs one line", async () => {
  const ports: CollectPorts = {
    settings: {
      namespace: "headrace",
      programsNamespace: "headrace",
      sources: {},
      clusters: { east: {}, west: {}, gone: {} },
    },
    async kube(cluster) {
      if (cluster === "west") return never()
      if (cluster === "gone") throw new HeadraceError("kube/kubeconfig", "kubeconfig /x cannot be read")
      const record = { ...newRecord("release", { epoch: 0, seq: 1 }), commit: COMMIT }
      return {
        get: async () => recordConfigMap("headrace", record),
        list: never,
        watch: () => {
          throw new Error("nothing is watched")
        },
        listLeases: async () => [],
      }
    },
    repository: never,
    lanes: never,
    clock: systemClock,
    memory: createReconcileMemory(),
  }
  const clusterSources = ["east", "west", "gone"].map((cluster) => ({ cluster, source: "release" }))
  const signal = new AbortController().signal
  const facts = await collectFleet(ports, { clusterSources, fetch: true, limit: 200 }, signal)
  const status = judgeFleet(facts, {
    config: null,
    bootstrapper: ["headrace-bootstrapper"],
    sources: {},
    severalClusters: true,
    severalSources: false,
    programsNamespace: "headrace",
    clusters: {},
  })
  expect(status.findings.map(({ kind, detail }) => [kind, detail])).toEqual([
    ["git", "git, for source release, did not answer within 0.2 s"],
    ["redis", "Redis did not answer within 0.2 s"],
  ])
  expect(
    status.clusterSources.map(({ cluster, state, commit, findings }) => [
      cluster,
      state,
      commit,
      findings.length,
    ]),
  ).toEqual([
    ["west", "unreachable", null, 1],
    ["gone", "unreachable", null, 1],
    ["east", "unknown", COMMIT, 0],
  ])
  const [west, gone] = status.clusterSources.map(({ findings }) => findings[0]?.detail)
  expect([west, gone]).toEqual(["cluster west did not answer within 0.2 s", "kubeconfig /x cannot be read"])
  const commands = status.clusterSources.map(({ findings }) => findings[0]?.command)
  expect(commands.slice(0, 2)).toEqual(["kubectl get --raw=/readyz", null])
})
