import { createProgram } from "@headrace/shared/command-line/program"
import type { Command } from "commander"
import type { CommandRun } from "./cli/command-run.ts"
import { addAdoptCommand } from "./commands/adopt/command.ts"
import { addApplyCommand, addProwCommand } from "./commands/apply/command.ts"
import { addApproveCommand } from "./commands/approve/command.ts"
import { addCheckCommand } from "./commands/check/command.ts"
import { addDetachCommand } from "./commands/detach/command.ts"
import { addDiffCommand } from "./commands/diff/command.ts"
import { addExplainCommand } from "./commands/explain/command.ts"
import { addHoldCommand } from "./commands/hold/command.ts"
import { addInitCommand } from "./commands/init/command.ts"
import { addKeysCommand } from "./commands/keys/command.ts"
import { addPlanCommand } from "./commands/plan/command.ts"
import { addPromoteCommand } from "./commands/promote/command.ts"
import { addReleaseCommand } from "./commands/release/command.ts"
import { addRewindCommand } from "./commands/rewind/command.ts"
import { addRolloutCommand } from "./commands/rollout/command.ts"
import { addSchemaCommand } from "./commands/schema/command.ts"
import { addStatusCommand } from "./commands/status/command.ts"

/** One line per command. Each describes its flags only, and loads what it does when it runs. */
const COMMANDS = {
  "Look, and write nothing:": [addStatusCommand, addExplainCommand, addDiffCommand],
  "Prepare a change:": [addInitCommand, addCheckCommand, addPlanCommand],
  "Bring clusters to their branch:": [addApplyCommand, addProwCommand],
  "Decide what clusters show:": [
    addHoldCommand,
    addRewindCommand,
    addReleaseCommand,
    addApproveCommand,
    addPromoteCommand,
    addRolloutCommand,
  ],
  "Take over and give back:": [addAdoptCommand, addDetachCommand],
  "More:": [addKeysCommand, addSchemaCommand],
}

/** The command line of headrace-bootstrapper, with every command. */
export function createBootstrapperProgram(run: CommandRun): Command {
  const program = createProgram("headrace-bootstrapper", import.meta.url).description(
    "Shows, checks and applies what rules make of a repository.",
  )
  for (const [group, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(group)
    for (const addCommand of commands) addCommand(program, run)
  }
  return program
}
