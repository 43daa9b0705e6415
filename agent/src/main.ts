#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { createAgentProgram } from "./agent-program.ts"

async function main(signal: AbortSignal): Promise<number> {
  const misuse = await runCommandLine(createAgentProgram(signal))
  // Set by a command that ends as its child did.
  return misuse ?? Number(process.exitCode ?? 0)
}

await runProgram(main)
