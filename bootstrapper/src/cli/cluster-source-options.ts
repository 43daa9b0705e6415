import { flag } from "@headrace/shared/command-line/flag"
import { logLevelFlag } from "@headrace/shared/command-line/log-level-flag"
import type { ClusterSettings, OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { unknownName } from "@headrace/shared/settings/unknown-name"
import type { Command } from "commander"

/** Flags of every command that works on records: which settings, which clusters, which sources, how to print. */
export interface ClusterSourceOptions {
  config: string
  cluster?: string[]
  source?: string[]
  output: "json" | "text"
  logLevel: string
}

/** A source in a cluster: what one record is of. */
export interface ClusterSource {
  cluster: string
  source: string
}

/** Adds the flags of ClusterSourceOptions to a command; `config` says whether it can do without the file. */
export function addClusterSourceOptions(
  command: Command,
  config: "needed" | "optional" = "needed",
  formats: readonly string[] = ["json", "text"],
): Command {
  const which = "Which clusters and sources:"
  return command
    .addOption(
      flag("--config <file>", "the operator's file")
        .needed(config === "needed")
        .helpGroup(which),
    )
    .addOption(flag("--cluster <name...>", "clusters of the settings; all when not given").helpGroup(which))
    .addOption(flag("--source <name...>", "sources of the settings; all when not given").helpGroup(which))
    .addOption(flag("-o, --output <format>", "how to print it").choices(formats).default("text"))
    .addOption(logLevelFlag().default("warn"))
}

/** Every source in a cluster that the flags choose, in the settings' order. Throws UsageError `settings/unknown-…`. */
export function chooseClusterSources(
  settings: OperatorSettings,
  options: Pick<ClusterSourceOptions, "cluster" | "source">,
): ClusterSource[] {
  const clusters = chosenClusters(settings, options)
  const sources = chosen("source", Object.keys(settings.sources), options.source)
  return clusters.flatMap((cluster) => sources.map((source) => ({ cluster, source })))
}

/** The clusters that the flags choose, in the settings' order. Throws UsageError `settings/unknown-cluster`. */
export function chosenClusters(
  settings: OperatorSettings,
  options: Pick<ClusterSourceOptions, "cluster">,
): readonly string[] {
  return chosen("cluster", Object.keys(settings.clusters), options.cluster)
}

/** What the settings say of a cluster. Throws UsageError `settings/unknown-cluster`. */
export function clusterNamed(settings: OperatorSettings, name: string): ClusterSettings {
  const cluster = settings.clusters[name]
  if (cluster !== undefined) return cluster
  throw unknownName("cluster", name, Object.keys(settings.clusters))
}

function chosen(
  what: "source" | "cluster",
  known: readonly string[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  const stray = wanted?.find((name) => !known.includes(name))
  if (stray === undefined) return wanted === undefined ? known : known.filter((name) => wanted.includes(name))
  throw unknownName(what, stray, known)
}
