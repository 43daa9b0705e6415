import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect, it } from "vitest"
import { chooseClusterSources } from "./cluster-source-options.ts"

const SETTINGS = OperatorSettings.parse({
  version: 1,
  sources: { release: { url: "/release", branch: "main", rules: "rules.yaml" } },
  clusters: { "app.ci": {}, build01: {}, build02: {} },
})

it("takes each source in a cluster once and in the settings' order, however often and wherever it is named", () => {
  const cluster = ["build01", "app.ci", "build01"]
  const clusterSources = chooseClusterSources(SETTINGS, { cluster })
  expect(clusterSources.map(({ cluster }) => cluster)).toEqual(["app.ci", "build01"])
})
