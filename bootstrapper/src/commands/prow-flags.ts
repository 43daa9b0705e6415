import { type Command, InvalidArgumentError } from "commander"
import { flag } from "./flag.ts"

/** The flags of Prow's config-bootstrapper, as its periodic jobs give them. */
export interface ProwOptions {
  sourcePath?: string[]
  /** As in Prow, true unless it is said otherwise. */
  dryRun: boolean
  pluginConfig: string
  configPath?: string
  kubeconfig?: string
  kubeconfigDir?: string
  kubeconfigSuffix: string
  inClusterConfig: boolean
  repo?: string
  jobConfigPath?: string
  supplementalProwConfigDir?: string[]
  supplementalPluginConfigDir?: string[]
  supplementalPluginConfigsFilenameSuffix?: string
  projectedTokenFile?: string
}

const UNREAD = "taken from Prow's flags, and not read"

/** Adds Prow's flags to a command, so that a job written for config-bootstrapper needs a new image only. */
export function addProwFlags(command: Command): Command {
  return command
    .addOption(
      flag("--source-path <dir...>", "apply this checkout at its HEAD, as a periodic job of Prow has one"),
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
      flag("--config-path <file>", "Prow's config.yaml: its prowjob_namespace is the default namespace"),
    )
    .addOption(flag("--kubeconfig <file>", "each context is a cluster of that name"))
    .addOption(flag("--kubeconfig-dir <dir>", "each context of each file is a cluster of that name"))
    .addOption(flag("--kubeconfig-suffix <suffix>", "read only such files of --kubeconfig-dir").default(""))
    .addOption(flag("--no-in-cluster-config", "do not take the cluster that this runs in as cluster default"))
    .addOption(flag("--repo <org/name>", "the repository, for access lists"))
    .addOption(flag("--job-config-path <path>", UNREAD))
    .addOption(flag("--supplemental-prow-config-dir <dir...>", UNREAD))
    .addOption(flag("--supplemental-plugin-config-dir <dir...>", UNREAD))
    .addOption(flag("--supplemental-plugin-configs-filename-suffix <suffix>", UNREAD))
    .addOption(flag("--projected-token-file <file>", UNREAD))
}

/** As Go's flag package reads one. */
function readBoolean(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true
  if (/^(0|f|false)$/i.test(text)) return false
  throw new InvalidArgumentError("expected true or false")
}
