import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { expect, it } from "vitest"

const RED = "\u001b[31mx\u001b[39m"

/** What a program prints in red into a pipe. */
function redInPipe(env: Record<string, string>): string {
  const script = `import { paintFor } from ${JSON.stringify(join(import.meta.dirname, "paint.ts"))}
process.stdout.write(paintFor(process.stdout).red("x"))`
  const args = ["--input-type=module", "--no-warnings", "--eval", script]
  return execFileSync(process.execPath, args, { env, encoding: "utf8" })
}

it.each([
  [{}, "x"],
  [{ CI: "true" }, "x"],
  [{ FORCE_COLOR: "1" }, RED],
  [{ FORCE_COLOR: "0" }, "x"],
  [{ NO_COLOR: "1", CI: "true" }, "x"],
])("colours a pipe only where FORCE_COLOR asks for it: %j", (env, printed) => {
  expect(redInPipe(env)).toBe(printed)
})
