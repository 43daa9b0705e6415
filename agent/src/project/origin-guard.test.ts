import { systemClock } from "@headrace/shared/foundation/clock"
import { sha256 } from "@headrace/shared/foundation/digest"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { describe, expect, it } from "vitest"
import type { OriginPart } from "../assemble/origin-part.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import { createOriginGuard } from "./origin-guard.ts"
import { namedProjections } from "./projection-spec.ts"

const SOURCE = {
  name: "git x",
  history: "x",
  isGuarded: true,
  assemble: async () => Promise.reject(new Error()),
}

function partOf(count: number): OriginPart {
  const files = Array.from({ length: count }, (_, at) => ({ path: `f${at}`, sha256: sha256(`${at}`) }))
  return { history: "x", key: `${count}`, revision: `r${count}`, files } as unknown as OriginPart
}

/** The code of the error that a change from so many files to so many has, with these settings of a projection. */
function judged(guard: string, before: number, after: number): string | undefined {
  const yaml = `{version: 1, projections: {p: {path: /p, guard: ${guard}, from: [{git: {url: /r, branch: m}}]}}}`
  const [spec] = namedProjections(parseSettings(yaml, "agent.yaml", AgentSettings), {} as StoreReader)
  const last = partOf(before)
  const judgement = createOriginGuard("/p", spec?.guard, systemClock).begin({
    last: new Map([["x", last]]),
    files: last.files,
    approved: undefined,
  })
  try {
    judgement.judge(partOf(after), [SOURCE])
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe("the guard of a projection", () => {
  it.each([
    ["by default half of 60 files may go, and no more", "{}", 60, 30, undefined],
    ["by default half of 60 files may go, and no more", "{}", 60, 29, "projection/guarded"],
    ["by default up to 20 go without a look at their share", "{}", 25, 5, undefined],
    ["with a share of its own", "{deletedFiles: 10%}", 60, 39, "projection/guarded"],
    ["with a share of its own", "{deletedFiles: 100%}", 60, 1, undefined],
    ["with a floor of its own", "{atLeast: 0}", 10, 4, "projection/guarded"],
    ["never loses all files of an origin of several", "{deletedFiles: 100%}", 60, 0, "projection/guarded"],
    ["is off when the settings say so", "off", 60, 0, undefined],
  ])("%s: %s, %i to %i", (_, guard, before, after, code) => {
    expect(judged(guard, before, after)).toBe(code)
  })
})
