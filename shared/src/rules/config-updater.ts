import { z } from "zod"

/** Go reads a missing value, `null` and the zero value alike, so real files hold `clusters: {a: }`. */
const text = z.string().nullish()
const flag = z.boolean().nullish()
const texts = z.array(z.string()).nullish()

const ClusterGroup = z.strictObject({
  clusters: texts.describe("Names of clusters."),
  namespaces: texts.describe(
    'Namespaces in each of those clusters; "" is the default one. None at all: the group has no effect.',
  ),
})

export const MapSpec = z.strictObject({
  name: text.describe("Name of the ConfigMap. Not together with `partitioned_names`."),
  partitioned_names: texts.describe(
    "Names of several ConfigMaps; a key goes to number sha256(key)[0] modulo their count. At most 256.",
  ),
  key: text.describe("The key that every matching file is written to; otherwise the file's base name."),
  use_full_path_as_key: flag.describe("Key is the whole path with `/` replaced by `-`."),
  gzip: flag.describe("Compress the values; overrides the global `gzip` both ways."),
  clusters: z
    .record(z.string(), texts)
    .nullish()
    .describe('Cluster to namespaces; "" is the default namespace. Not together with `cluster_groups`.'),
  cluster_groups: texts.describe("Names of groups, each standing for all its clusters and namespaces."),
  allowed_repos: texts.describe("ORG or ORG/NAME: only these repositories may feed this rule."),
  denied_repos: texts.describe("ORG or ORG/NAME that may not feed this rule; goes before `allowed_repos`."),
  namespace: text.describe("Legacy (Prow before November 2020): the one namespace, in the default cluster."),
  additional_namespaces: texts.describe("Legacy: more namespaces in the default cluster."),
  view: flag.describe(
    "Headrace only. False: no ConfigMap of this name is written; the files live in the store, at any size, for agents.",
  ),
})
export type MapSpec = z.infer<typeof MapSpec>

/** Prow's `config_updater`, as in plugins.yaml. */
export const ConfigUpdater = z.strictObject({
  gzip: flag.describe("Compress every value, unless a rule says otherwise."),
  cluster_groups: z
    .record(z.string(), ClusterGroup.nullish())
    .nullish()
    .describe("Groups of clusters and namespaces, by name."),
  maps: z
    .record(z.string(), MapSpec.nullish())
    .nullish()
    .describe("Glob to the ConfigMap that matching files go to. The first glob that matches a file wins."),
})
export type ConfigUpdater = z.infer<typeof ConfigUpdater>

/** A whole plugins.yaml: what is not `config_updater` is Prow's business. */
export const RulesFile = z.looseObject({
  config_updater: ConfigUpdater.nullish().describe(
    "Which files go to which ConfigMaps; absent: Prow's two defaults.",
  ),
})

/** What applies when `maps` is empty, as in Prow: its own two files. */
export const DEFAULT_MAPS: Readonly<Record<string, MapSpec>> = {
  "config/prow/config.yaml": { name: "config" },
  "config/prow/plugins.yaml": { name: "plugins" },
}
