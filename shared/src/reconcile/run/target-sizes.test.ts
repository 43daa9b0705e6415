import { join } from "node:path"
import { withKube } from "@headrace/test/harness/with-kube"
import { withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"
import { configMapSize } from "../../foundation/config-map.ts"
import { createLog } from "../../observe/log.ts"
import { OperatorSettings } from "../../settings/operator-settings.ts"
import { openReconciler } from "../open-reconciler.ts"

const RULES = `config_updater:
  maps:
    a/*: {name: plain, clusters: {east: [ci]}}
    b/*: {name: packed, gzip: true, clusters: {east: [ci]}}
`

it("knows how large each named ConfigMap is, and forgets those that no rule names after a full run", () =>
  withKube((kube) =>
    withRepo(async (repo) => {
      const settings = OperatorSettings.parse({
        version: 1,
        sources: { release: { url: repo.folder, branch: "main", rules: "rules.yaml" } },
        clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
        guard: "off",
        mirrors: join(repo.scratch, "mirrors"),
      })
      const reconciler = await openReconciler(settings, createLog("test", { level: "silent" }))
      const run = (mode: "incremental" | "full") =>
        reconciler.run("east", "release", mode, AbortSignal.timeout(150_000))
      const sizes = () => [...reconciler.sizes.all()].map(({ target, bytes }) => [target.name, bytes]).sort()
      const client = inProcessClient(kube.store)
      async function held(...names: string[]) {
        const read = await Promise.all(names.map((name) => client.get("ci", name)))
        return names.map((name, index) => {
          const configMap = read[index]
          return [name, configMap && configMapSize(configMap)]
        })
      }

      await repo.commit({ "rules.yaml": RULES, "a/x": "ünïcode", "b/y": Buffer.from([0xff, 0xfe]) })
      await run("incremental")
      expect(sizes()).toEqual(await held("packed", "plain"))
      expect(sizes()).toContainEqual(["plain", Buffer.byteLength("ünïcode") + 40])

      await repo.commit({ "a/x": "longer than before", "rules.yaml": RULES.replace("packed", "repacked") })
      await run("incremental")
      expect(sizes()).toEqual(await held("packed", "plain", "repacked"))
      await run("full")
      expect(sizes()).toEqual(await held("plain", "repacked"))
      await reconciler.close()
    }),
  ))
