import { join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { statusPage } from "@headrace/shared/status/status-page"
import { withKube } from "@headrace/test/harness/with-kube"
import { withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { readStatus } from "./read-status.ts"

const { signal } = new AbortController()

function rules(...names: string[]): string {
  const maps = names.map((name) => `    '${name}/*': {name: ${name}, clusters: {east: [ci]}}\n`)
  return `config_updater:\n  maps:\n${maps.join("")}`
}

it("shows ConfigMaps that no rule names any more on the page, with the command that removes them", () =>
  withKube((kube) =>
    withRepo(async (repo) => {
      const settings = OperatorSettings.parse({
        version: 1,
        sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
        clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
        mirrors: join(repo.scratch, "mirrors"),
        guard: "off",
      })
      const opened = await openReconciler(settings, createLog("test", { level: "silent" }))
      try {
        await repo.commit({ "rules.yaml": rules("kept", "old"), "kept/a": "1", "old/a": "1" })
        await opened.run("east", "release", "full", signal)
        await repo.commit({ "rules.yaml": rules("kept") })
        await opened.run("east", "release", "full", signal)
        const lanes = { trouble: () => new Error("Redis is away") } as never
        const status = await readStatus(opened, settings)(lanes)
        expect(status.clusterSources).toMatchObject([{ orphans: ["ci/old"] }])
        const page = statusPage(status, { refresh: true }).replaceAll(/<\/?span>/g, "")
        expect(page).toContain("no rule names any more: ci/old")
        expect(page).toContain("headrace-bootstrapper apply --direct --prune")
      } finally {
        await opened.close()
      }
    }),
  ))
