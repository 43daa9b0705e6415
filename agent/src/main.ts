#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { remediesWith } from "@headrace/shared/status/remedies"
import { createAgentProgram } from "./agent-program.ts"
import { reapOrphans } from "./disk/reap-orphans.ts"
import { agentErrors } from "./error-codes.ts"

/** The process that a container starts, which gets the children of every process that ends before them. */
const FIRST_PID = 1

async function main(signal: AbortSignal): Promise<number> {
  if (process.pid === FIRST_PID) reapOrphans()
  const misuse = await runCommandLine(createAgentProgram(signal))
  // Set by a command that ends as its child did.
  return misuse ?? Number(process.exitCode ?? 0)
}

await runProgram(main, remediesWith(agentErrors))
