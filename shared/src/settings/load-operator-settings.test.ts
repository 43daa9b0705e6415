import { mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { embeddedKubeconfig } from "../../../config/local/embedded-kube/embedded-kubeconfig.ts"
import { loadOperatorSettings } from "./load-operator-settings.ts"

interface Site {
  folder: string
  /** Loads settings with these lines; gives the clusters, or the code of what was thrown. */
  clusters(lines: string): Promise<unknown>
}

function withSite(test: (site: Site) => Promise<void>): Promise<void> {
  return withFolder(async (top) => {
    const folder = join(top, "kube")
    await mkdir(folder)
    const file = join(top, "headrace.yaml")
    async function clusters(lines: string): Promise<unknown> {
      await writeFile(file, `version: 1\n${lines.includes("sources:") ? "" : "sources: {}\n"}${lines}\n`)
      return loadOperatorSettings(file).then(
        (settings) => settings.clusters,
        (error: { code: string }) => error.code,
      )
    }
    await test({ folder, clusters })
  })
}

function kubeconfig(context: string): string {
  return embeddedKubeconfig("http://127.0.0.1:1", "t").replaceAll("embedded", context)
}

describe("clusters from a folder of kubeconfigs", () => {
  it("are every context of every file with the suffix, as a mounted Secret shows them", () =>
    withSite(async ({ folder, clusters }) => {
      await mkdir(join(folder, "..data_1"))
      await symlink("..data_1", join(folder, "..data"))
      for (const name of ["build01", "build02"]) {
        await writeFile(join(folder, "..data_1", `${name}.kubeconfig`), kubeconfig(name))
        await symlink(join("..data", `${name}.kubeconfig`), join(folder, `${name}.kubeconfig`))
      }
      await writeFile(join(folder, "README"), "no kubeconfig")
      const at = (name: string) => ({ kubeconfig: join(folder, `${name}.kubeconfig`), context: name })

      const common = `kubeconfigs: {folder: ${folder}, suffix: .kubeconfig, namespaces: [ci], store: false}`
      expect(await clusters(common)).toEqual({
        build01: { ...at("build01"), namespaces: ["ci"], store: false },
        build02: { ...at("build02"), namespaces: ["ci"], store: false },
      })
      const own = "clusters: {build02: {namespaces: [ocp]}, app.ci: {inCluster: true}}"
      expect(await clusters(`${common}\n${own}`)).toEqual({
        build01: { ...at("build01"), namespaces: ["ci"], store: false },
        build02: { ...at("build02"), namespaces: ["ocp"], store: false },
        "app.ci": { inCluster: true },
      })
    }))

  it("are refused when the folder, a file or a context's name is wrong", () =>
    withSite(async ({ folder, clusters }) => {
      const line = `kubeconfigs: {folder: ${folder}}`
      expect(await clusters(`kubeconfigs: {folder: ${folder}/absent}`)).toBe("kube/kubeconfig-folder")
      await writeFile(join(folder, "one"), kubeconfig("admin@one"))
      expect(await clusters(line)).toBe("settings/context-name")
      await writeFile(join(folder, "one"), kubeconfig("one"))
      await writeFile(join(folder, "other"), kubeconfig("one"))
      expect(await clusters(line)).toBe("kube/kubeconfig")
      await writeFile(join(folder, "other"), "clusters: {")
      expect(await clusters(line)).toBe("kube/kubeconfig")
    }))
})

it("refuses a cluster that is nowhere, or in two places, and sources that have no cluster to go to", () =>
  withSite(async ({ clusters }) => {
    const source = "sources: {release: {url: /repo, branch: main, rules: rules.yaml}}"
    expect(await clusters(source)).toBe("settings/no-cluster")
    expect(await clusters("clusters: {build01: {namespaces: [ci]}}")).toBe("settings/cluster-address")
    expect(await clusters("clusters: {build01: {context: build01}}")).toBe("settings/cluster-address")
    expect(await clusters("clusters: {build01: {inCluster: true, kubeconfig: /k}}")).toBe(
      "settings/cluster-address",
    )
    expect(await clusters("clusters: {build01: {kubeconfig: /k, context: c}}")).toEqual({
      build01: { kubeconfig: "/k", context: "c" },
    })
  }))
