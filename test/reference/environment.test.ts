import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"

const ROOT = join(import.meta.dirname, "../..")
const PAGE = readFileSync(join(ROOT, "docs/reference/environment.md"), "utf8")
/** As code reads a variable: a member of an environment, or a name taken out of one. */
const READ =
  /\b(?:process\.env|environment|env)\.([A-Z][A-Z0-9_]{3,})|\b(HEADRACE_[A-Z0-9_]+)(?=: \w+,|: \w+ })|"(\w+_PROXY)"/g
/** From our programs to the helpers that git starts for them, and from `npm test` to what starts our programs. */
const INTERNAL = ["HEADRACE_GIT_TOKEN", "HEADRACE_TEST_PROGRAMS"]
/** Twins of flags, which docs/reference/commands.md lists. */
const TWINS = readFileSync(join(ROOT, "docs/reference/commands.md"), "utf8")

it("docs/reference/environment.md names every variable that a program reads and no flag gives", () => {
  const files = globSync(["{shared,agent,plugin,bootstrapper}/src/**/*.ts", "config/local/**/*.ts"], {
    cwd: ROOT,
  })
  const read = files
    .filter((file) => !/\.test\.ts$|node_modules|\/(git-sync|k8s-sidecar)\//.test(file))
    .flatMap((file) => [...readFileSync(join(ROOT, file), "utf8").matchAll(READ)])
    .map((match) => match[1] ?? match[2] ?? match[3] ?? "")
  const names = [...new Set(read)].filter((name) => !TWINS.includes(`\`${name}\``))
  expect(names).toEqual(expect.arrayContaining(["REDIS_URL", "HTTPS_PROXY", "HEADRACE_POD_UID"]))
  const missing = names.filter((name) => !INTERNAL.includes(name) && !PAGE.includes(`\`${name}\``))
  expect(missing).toEqual([])
})
