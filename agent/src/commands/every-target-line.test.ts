import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { expect, it } from "vitest"
import { everyTargetLine } from "./every-target-line.ts"

it("says what every target waits for, or shows", () => {
  const text = "version: 1\nrecord: headrace/release\neveryTarget: {path: /x}\n"
  const settings = parseSettings(text, "agent.yaml", AgentSettings)
  const lineOf = (record?: { commit: string | null }) => everyTargetLine(settings, record ? { record } : {})
  expect(lineOf()).toBe("everyTarget at /x: waits for record headrace/release")
  expect(lineOf({ commit: null })).toBe("everyTarget at /x: ok: record headrace/release shows no commit yet")
  expect(lineOf({ commit: "a".repeat(40) })).toBe("everyTarget at /x: ok: the targets of commit aaaaaaaaaaaa")
})
