import { flag } from "@headrace/shared/command-line/flag"
import { UsageError } from "@headrace/shared/foundation/errors"
import { Command, InvalidArgumentError } from "commander"

/** The flags of Prow's config-bootstrapper, as its periodic jobs give them. */
export interface ProwOptions {
  sourcePath?: string[]
  /** As in Prow, true unless it is said otherwise. */
  dryRun: boolean
  pluginConfig: string
  supplementalPluginConfigDir?: string[]
  supplementalPluginConfigsFilenameSuffix: string
  configPath?: string
  kubeconfig?: string
  kubeconfigDir?: string
  kubeconfigSuffix: string
  inClusterConfig: boolean
  projectedTokenFile?: string
  repo?: string
  /** Ours: in which namespaces rules may name ConfigMaps. */
  namespaces: string[]
}

/** Flags of Prow's that nothing here depends on, and why. */
const UNREAD = {
  "--job-config-path <path>": "jobs have no part in it",
  "--supplemental-prow-config-dir <dir...>": "prowjob_namespace cannot be there",
  "--supplemental-prow-configs-filename <suffix>": "prowjob_namespace cannot be there",
  "--supplemental-prow-configs-filename-suffix <suffix>": "prowjob_namespace cannot be there",
  "--in-repo-config-cache-size <number>": "jobs have no part in it",
  "--cache-dir-base <dir>": "jobs have no part in it",
  "--moonraker-address <address>": "jobs have no part in it",
} as const

/** Adds Prow's flags to a command, so that a job written for config-bootstrapper needs a new image only. */
export function addProwFlags(command: Command): Command {
  const before = command.options.length
  command
    .addOption(
      flag(
        "--source-path <dir...>",
        "apply this checkout, or folders of it, at its HEAD, as a periodic job of Prow has one",
      ),
    )
    .addOption(
      flag("--dry-run [boolean]", "with --source-path: show what would be held, and write nothing")
        .argParser(readBoolean)
        .preset("true")
        .default(true, "true"),
    )
    .addOption(
      flag("--plugin-config <file>", "with --source-path: the rules").default("/etc/plugins/plugins.yaml"),
    )
    .addOption(
      flag(
        "--supplemental-plugin-config-dir <dir...>",
        "more plugin configuration, which must have no config_updater",
      ),
    )
    .addOption(
      flag("--supplemental-plugin-configs-filename-suffix <suffix>", "how its files are called").default(
        "_pluginconfig.yaml",
      ),
    )
    .addOption(
      flag(
        "--config-path <file>",
        "Prow's config.yaml: its prowjob_namespace is the default namespace; otherwise /etc/config/config.yaml, if it is there",
      ),
    )
    .addOption(flag("--kubeconfig <file>", "each context is a cluster of that name"))
    .addOption(flag("--kubeconfig-dir <dir>", "each context of each file is a cluster of that name"))
    .addOption(flag("--kubeconfig-suffix <suffix>", "read only such files of --kubeconfig-dir").default(""))
    .addOption(flag("--no-in-cluster-config", "do not take the cluster that this runs in as cluster default"))
    .addOption(flag("--projected-token-file <file>", "token for the cluster that this runs in"))
    .addOption(flag("--repo <org/name>", "the repository, for access lists"))
    .addOption(
      flag(
        "--namespaces <name...>",
        "namespaces that rules may name, or patterns of them; kube-system and its like are named themselves",
      ).default(["*"], "*"),
    )
  for (const [flags, why] of Object.entries(UNREAD))
    command.addOption(flag(flags, `Prow's; not read: ${why}`))
  for (const option of command.options.slice(before))
    option.helpGroup("As Prow's config-bootstrapper has them:")
  return command
}

/** What the operator's file says, so that these of Prow's flags do not go with it. */
const OF_SETTINGS = [
  "pluginConfig",
  "supplementalPluginConfigDir",
  "supplementalPluginConfigsFilenameSuffix",
  "configPath",
  "kubeconfig",
  "kubeconfigDir",
  "kubeconfigSuffix",
  "inClusterConfig",
  "projectedTokenFile",
  "repo",
  "namespaces",
]

/**
 * Refuses flags that would have no effect: without --source-path all of Prow's, with --config those of clusters and
 * rules. A --dry-run that is ignored would write. Throws UsageError `apply/idle-flag`.
 */
export function refuseIdleFlags(command: Command): void {
  if (!isGiven(command, "sourcePath")) {
    refuse(command, prowOptionNames(), "goes with --source-path", "See what apply would write with diff.")
  } else if (isGiven(command, "config")) {
    refuse(command, OF_SETTINGS, "does not go with --config", "Leave it out: the operator's file says that.")
  }
}

function refuse(command: Command, names: readonly string[], why: string, hint: string): void {
  const idle = command.options.find((option) => {
    const name = option.attributeName()
    return names.includes(name) && isMeant(command, name)
  })
  if (idle) throw new UsageError("apply/idle-flag", `${idle.long} ${why}`, { hint })
}

/** A variable may be meant for another command; HEADRACE_DRY_RUN must not be, where it would be ignored. */
function isMeant(command: Command, name: string): boolean {
  const from = command.getOptionValueSource(name)
  return from === "cli" || (from === "env" && name === "dryRun")
}

function isGiven(command: Command, name: string): boolean {
  return ["cli", "env"].includes(command.getOptionValueSource(name) ?? "")
}

/** The notice about flags that were given and have no effect. */
export function unreadFlags(command: Command): string[] {
  return Object.entries(UNREAD).flatMap(([flags, why]) => {
    const [name = ""] = flags.split(" ")
    const option = command.options.find(({ long }) => long === name)
    return option && isGiven(command, option.attributeName()) ? [`${name} is not read: ${why}`] : []
  })
}

/** Go's flag package, which Prow uses, takes one dash for two: Prow's flags as commander knows them. */
export function doubleDashed(args: readonly string[]): string[] {
  const known = new Set(addProwFlags(new Command()).options.map(({ long }) => long))
  return args.map((arg) => {
    const name = /^-([a-z][a-z-]+)(=|$)/.exec(arg)?.[1]
    return name !== undefined && known.has(`--${name}`) ? `-${arg}` : arg
  })
}

function prowOptionNames(): string[] {
  return addProwFlags(new Command()).options.map((option) => option.attributeName())
}

/** As Go's flag package reads one. */
function readBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true
  if (/^(0|f|false)$/i.test(text)) return false
  throw new InvalidArgumentError("expected true or false")
}
