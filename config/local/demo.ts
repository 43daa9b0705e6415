#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { createDemoProgram } from "./demo-program.ts"

await runProgram((signal) => runCommandLine(createDemoProgram(signal)))
