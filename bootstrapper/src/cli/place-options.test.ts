import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { expect, it } from "vitest"
import { choosePlaces } from "./place-options.ts"

const SETTINGS = OperatorSettings.parse({
  version: 1,
  sources: { release: { url: "/release", branch: "main", rules: "rules.yaml" } },
  clusters: { "app.ci": {}, build01: {}, build02: {} },
})

it("takes each place once and in the settings' order, however often and wherever it is named", () => {
  const cluster = ["build01", "app.ci", "build01"]
  const places = choosePlaces(SETTINGS, { config: "", cluster, output: "text", logLevel: "silent" })
  expect(places.map((place) => place.cluster)).toEqual(["app.ci", "build01"])
})
