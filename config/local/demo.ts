#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { remediesWith } from "@headrace/shared/status/remedies"
import { createDemoProgram } from "./demo-program.ts"
import { localErrors } from "./error-codes.ts"

await runProgram((signal) => runCommandLine(createDemoProgram(signal)), remediesWith(localErrors))
