import { flag } from "@headrace/shared/command-line/flag"
import { addExamples } from "@headrace/shared/command-line/help"
import { Argument, type Command } from "commander"
import type { CommandRun } from "../../cli/command-run.ts"
import type { ConfigurationFile } from "./run.ts"

export interface SchemaOptions {
  output: "json" | "markdown"
}

/** `schema`: the JSON Schema, or the reference page, of a configuration file. */
export function addSchemaCommand(program: Command, run: CommandRun): void {
  const schema = program
    .command("schema")
    .description(
      "Prints the JSON Schema of a configuration file, or of what status prints, or its reference page.",
    )
    .addArgument(new Argument("<file>", "which one").choices(["operator", "agent", "rules", "status"]))
    .addOption(flag("-o, --output <format>", "how to print it").choices(["json", "markdown"]).default("json"))
    .action(async (file: ConfigurationFile, options: SchemaOptions) => {
      const { schemaText } = await import("./run.ts")
      process.stdout.write(schemaText(file, options.output))
      run.exitCode = 0
    })
  addExamples(schema, [
    "headrace-bootstrapper schema operator > operator.schema.json",
    "headrace-bootstrapper schema agent -o markdown",
  ])
}
