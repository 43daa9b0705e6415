import { flag } from "@headrace/shared/command-line/flag"
import type { Command } from "commander"
import { addClusterSourceOptions } from "./cluster-source-options.ts"

/** Adds the flags of FleetOptions, with the formats that the command can print. */
export function addFleetOptions(command: Command, formats: readonly string[]): Command {
  return addClusterSourceOptions(command, "needed", formats)
    .addOption(flag("--no-fetch", "do not ask git how far behind the branch everything is"))
    .addOption(
      flag("--answer-limit <duration>", "how long git, Redis and clusters have to answer").default("2s"),
    )
    .addOption(
      flag(
        "--redis-url-file <file>",
        "file with the Redis URL; otherwise that of the settings, or REDIS_URL",
      ),
    )
}
