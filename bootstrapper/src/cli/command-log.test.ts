import { HeadraceError } from "@headrace/shared/foundation/errors"
import { createLog } from "@headrace/shared/observe/log"
import { expect, it } from "vitest"
import { logSentence } from "./command-log.ts"

it("says a log line in one sentence, without a stack, and escapes what a cluster named", () => {
  const lines: string[] = []
  const log = createLog("bootstrapper", {
    level: "warn",
    destination: { write: (line) => void lines.push(line) },
  })
  log.warn(
    { target: "ci/jobs", err: new HeadraceError("program/stopped", "refused\u001b[31m") },
    "target not written",
  )
  log.error({ redis: "here:1", code: "lanes/redis-slow" }, "redis cannot be used")
  expect(lines.map(logSentence)).toEqual([
    "warning: target not written (target ci/jobs; refused\\u001b[31m)",
    "error: redis cannot be used (redis here:1; code lanes/redis-slow)",
  ])
})
