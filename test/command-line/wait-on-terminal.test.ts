import { execFile, spawnSync } from "node:child_process"
import { promisify } from "node:util"
import { expect, it } from "vitest"
import { programArguments } from "../harness/program-arguments.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withOperator } from "../harness/with-operator.ts"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n"
/** Runs a program on a pseudo-terminal of its own: pty(7). */
const ON_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
const NOT_WAITED = "no Redis is configured: the next apply, poll or webhook acts on it"

const noPython = spawnSync("python3", ["-c", "import os, pty; os.waitstatus_to_exitcode"]).status !== 0
const skipped = noPython ? "needs python3, for a pseudo-terminal" : undefined

it.skipIf(noPython)(
  `a word is waited for on a terminal, and not in a pipe, unless it says otherwise${whySkipped(skipped)}`,
  { timeout: 180_000 },
  () =>
    withOperator(async ({ repo, config, run }) => {
      const first = await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1" })
      await repo.commit({ "jobs/a.yaml": "a: 2" })
      await run("apply", "--direct")
      const rewind = ["rewind", "--to", first, "--reason", "x"]
      const onTerminal = async (...args: string[]) => {
        const program = [process.execPath, ...programArguments("bootstrapper"), ...args, "--config", config]
        const running = promisify(execFile)("python3", ["-c", ON_TERMINAL, ...program])
        running.child.stdin?.end()
        return (await running).stdout
      }

      expect((await run(...rewind)).stdout).toContain(NOT_WAITED)
      expect(await onTerminal(...rewind, "--no-wait")).toContain(NOT_WAITED)
      const waited = await onTerminal(...rewind)
      expect(waited).toContain(`held at ${first}, shows ${first}`)
      expect(waited).not.toContain(NOT_WAITED)
    }),
)
