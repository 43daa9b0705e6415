#!/usr/bin/env node
import { runCommandLine } from "@headrace/shared/command-line/program"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { remediesWith } from "@headrace/shared/status/remedies"
import { pluginErrors } from "./error-codes.ts"
import { createPluginProgram } from "./plugin-program.ts"

await runProgram((signal) => runCommandLine(createPluginProgram(signal)), remediesWith(pluginErrors))
