import { spawn } from "node:child_process"
import { constants } from "node:os"
import { addExamples } from "@headrace/shared/command-line/help"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { Command } from "commander"
import type { LeasedRevision } from "../read/with-revision.ts"
import { linkOption } from "./flags.ts"

const SIGNALLED = 128
/** Which descriptor the lease has in the command: the first after the usual three. */
const LEASE_FD = 3

/** `lease PATH -- COMMAND`: runs a command in a revision that stays as long as the command runs. */
export function addLeaseCommand(program: Command, signal: AbortSignal): void {
  const lease = program
    .command("lease")
    .description(
      "Runs a command on one revision, which is not removed meanwhile; ends with the command's code.",
    )
    .argument("<path>", "the projection")
    .argument("<command...>", "what to run; HEADRACE_REVISION_PATH and HEADRACE_REVISION name its revision")
    .addOption(linkOption())
    .passThroughOptions()
    .action(async (path: string, command: string[], options: { link: string }) => {
      const { withRevision } = await import("../read/with-revision.ts")
      process.exitCode = await withRevision(path, (revision) => run(command, revision, signal), {
        ...options,
        signal,
      })
    })
  addExamples(lease, ["headrace-agent lease /var/lib/headrace/job-config -- make -f build.mk"])
}

function run(command: string[], revision: LeasedRevision, signal: AbortSignal): Promise<number> {
  const [program = "", ...args] = command[0] === "--" ? command.slice(1) : command
  const child = spawn(program, args, {
    // The command holds the lease as well, so that it keeps its revision even when this process is killed.
    stdio: ["inherit", "inherit", "inherit", revision.fd],
    env: { ...process.env, HEADRACE_REVISION_PATH: pathInChild(revision), HEADRACE_REVISION: revision.id },
  })
  const forward = () => child.kill("SIGTERM")
  signal.addEventListener("abort", forward)
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      const hint = "Check its name, and that it is on the PATH."
      reject(new UsageError("lease/no-command", `cannot run ${program}`, { hint, cause }))
    })
    child.on("close", (code, name) => {
      signal.removeEventListener("abort", forward)
      resolve(code ?? SIGNALLED + (name ? constants.signals[name] : 0))
    })
  })
}

/** A path through our open directory leads, in the command, through the one that it inherits. */
function pathInChild({ path, fd }: LeasedRevision): string {
  return path === `/proc/self/fd/${fd}` ? `/proc/self/fd/${LEASE_FD}` : path
}
