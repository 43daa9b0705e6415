import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { loadAgentSettings } from "@headrace/shared/settings/load-agent-settings"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { load, loadAll } from "js-yaml"
import { describe, expect, it } from "vitest"

const CONFIG = join(import.meta.dirname, "../../config")
const FOLDERS = ["base", "base/plugin", "base/bootstrapper", "base/agent", "overlays/example"]
const noKubectl = spawnSync("kubectl", ["version", "--client"]).status !== 0

interface Kustomization {
  resources: string[]
  configMapGenerator?: { files: string[] }[]
}

describe("manifests", () => {
  it.each(FOLDERS)("%s names files that are there, and forgets none", (folder) => {
    const kustomization = load(
      readFileSync(join(CONFIG, folder, "kustomization.yaml"), "utf8"),
    ) as Kustomization
    const generated = (kustomization.configMapGenerator ?? []).flatMap(({ files }) => files)
    const named = [...kustomization.resources, ...generated]
    for (const name of named) expect(existsSync(join(CONFIG, folder, name)), name).toBe(true)
    const files = readdirSync(join(CONFIG, folder)).filter((name) =>
      statSync(join(CONFIG, folder, name)).isFile(),
    )
    expect(named).toEqual(expect.arrayContaining(files.filter((name) => name !== "kustomization.yaml")))
  })

  it("run no container as root without saying why, and none with more rights than it names", () => {
    for (const file of ["plugin/deployment.yaml", "bootstrapper/cronjob.yaml", "agent/daemonset.yaml"]) {
      const text = readFileSync(join(CONFIG, "base", file), "utf8")
      expect(loadAll(text).length).toBeGreaterThan(0)
      expect(text).toContain("drop: [ALL]")
      expect(text).toContain("readOnlyRootFilesystem: true")
      expect(text).toContain("allowPrivilegeEscalation: false")
    }
  })

  it.skipIf(noKubectl)(
    `build with kubectl kustomize${noKubectl ? " (not run: no kubectl here)" : ""}`,
    () => {
      for (const folder of FOLDERS) {
        const built = spawnSync("kubectl", ["kustomize", join(CONFIG, folder)], { encoding: "utf8" })
        expect(built.status, built.stderr).toBe(0)
      }
    },
  )
})

describe("samples", () => {
  it.each(["samples", "overlays/example"])("of %s load as they are", async (folder) => {
    const operator = await loadOperatorSettings(join(CONFIG, folder, "headrace.yaml"))
    const agent = await loadAgentSettings(join(CONFIG, folder, "agent.yaml"))

    expect(Object.keys(operator.sources)).toEqual(["release"])
    expect(Object.keys(agent.projections)).toEqual(["job-config"])
  })
})
