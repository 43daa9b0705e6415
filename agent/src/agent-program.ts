import { createProgram } from "@headrace/shared/command-line/program"
import type { Command } from "commander"
import { addApproveCommand } from "./commands/approve.ts"
import { addCheckCommand } from "./commands/check.ts"
import { addGitSyncCommand } from "./commands/git-sync.ts"
import { addK8sSidecarCommand } from "./commands/k8s-sidecar.ts"
import { addLeaseCommand } from "./commands/lease.ts"
import { addListCommand } from "./commands/list.ts"
import { addPinCommands } from "./commands/pin.ts"
import { addPublishCommand } from "./commands/publish.ts"
import { addRollbackCommand } from "./commands/rollback.ts"
import { addRunAction } from "./commands/run.ts"
import { addVerifyCommand } from "./commands/verify.ts"

/** The program's commands. Each loads what it needs when it runs, so that `publish` pays for nothing else. */
export function createAgentProgram(signal: AbortSignal): Command {
  const program = createProgram("headrace-agent", import.meta.url)
    .description(
      "Projects a record onto this node's disk. Without a subcommand it runs the agent of --config.",
    )
    // For `lease`, whose command has flags of its own.
    .enablePositionalOptions()
  addRunAction(program, signal)
  addCheckCommand(program, signal)
  addPublishCommand(program, signal)
  addListCommand(program, signal)
  addVerifyCommand(program, signal)
  addRollbackCommand(program, signal)
  addPinCommands(program, signal)
  addApproveCommand(program, signal)
  addLeaseCommand(program, signal)
  addGitSyncCommand(program, signal)
  addK8sSidecarCommand(program, signal)
  return program
}
