#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { remediesWith } from "@headrace/shared/status/remedies"
import { localErrors } from "./error-codes.ts"
import { createUpProgram } from "./up-program.ts"

await runProgram((signal) => runCommandLine(createUpProgram(signal)), remediesWith(localErrors))
