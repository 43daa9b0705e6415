import { flag } from "@headrace/shared/command-line/flag"
import type { Command } from "commander"

/** Flags of commands that change what a cluster is to show, and then let it happen. */
export interface EffectFlags {
  wait?: boolean
  redisUrlFile?: string
  timeLimit: string
  logLevel: string
}

/** Adds the flags of EffectFlags to a command. */
export function addEffectFlags(command: Command): Command {
  const group = "How it takes effect:"
  return command
    .addOption(flag("--wait", "wait until it has taken effect; the default on a terminal").helpGroup(group))
    .addOption(flag("--no-wait", "wake the lanes and do not wait for them").helpGroup(group))
    .addOption(flag("--time-limit <duration>", "how long to wait").default("2m").helpGroup(group))
    .addOption(
      flag(
        "--redis-url-file <file>",
        "file with the Redis URL; otherwise that of the settings, or REDIS_URL",
      ).helpGroup(group),
    )
}
