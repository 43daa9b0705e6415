import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { contextOfFlags } from "./plan-context.ts"

it("knows the operator's clusters, and judges none where their folder of kubeconfigs is not", () =>
  withFolder(async (folder) => {
    const config = join(folder, "headrace.yaml")
    const flags = { config, defaultCluster: "unused", defaultNamespace: "unused" }
    const settings = "version: 1\nsources: {}\nclusters: {app.ci: {inCluster: true, namespaces: [ci]}}\n"
    await writeFile(config, settings)
    expect([...((await contextOfFlags(flags)).clusters?.keys() ?? [])]).toEqual(["app.ci"])

    await writeFile(
      config,
      `${settings}defaults: {cluster: app.ci}\nkubeconfigs: {folder: ${folder}/absent}\n`,
    )
    expect(await contextOfFlags(flags)).toMatchObject({
      clusters: undefined,
      defaults: { cluster: "app.ci" },
    })

    await writeFile(config, settings.replace("{inCluster: true, ", "{"))
    await expect(contextOfFlags(flags)).rejects.toMatchObject({ code: "settings/cluster-address" })
  }))
