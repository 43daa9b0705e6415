import { describe, expect, it } from "vitest"
import { parseSettings } from "./parse-settings.ts"
import { RolloutSettings } from "./rollout-settings.ts"

function health(yaml: string): RolloutSettings["health"] {
  return parseSettings(`{stages: [{}], health: {${yaml}}}`, "rollout.yaml", RolloutSettings).health
}

describe("the checks of a rollout", () => {
  it("are none by default, and are asked every ten seconds", () => {
    expect(health("").http).toBe(undefined)
    expect(health("http: [{url: 'http://probe/healthz'}]").http).toEqual([
      { url: "http://probe/healthz", every: 10_000 },
    ])
    expect(health("prometheus: [{url: 'http://prometheus:9090', query: up, max: 1.5}]").prometheus).toEqual([
      { url: "http://prometheus:9090", query: "up", max: 1.5, every: 10_000 },
    ])
  })

  it.each([
    "http: [{url: 'ftp://probe'}]",
    "http: [{url: 'http://probe', every: 0s}]",
    "http: [{every: 1s}]",
    "prometheus: [{url: 'http://p', query: '', max: 1}]",
    "prometheus: [{url: 'http://p', query: up}]",
    "prometheus: [{url: 'http://p', query: up, max: .nan}]",
    `http: [${"{url: 'http://probe'}, ".repeat(17)}]`,
  ])("are refused as %s", (yaml) => {
    expect(() => health(yaml)).toThrow(/health\.(http|prometheus)/)
  })
})
