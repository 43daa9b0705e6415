import { z } from "zod"
import { suggestion } from "../foundation/closest-word.ts"
import { WriterBounds } from "./bounds.ts"
import { Gates } from "./gates.ts"
import { GitAuth } from "./git-auth.ts"
import { gitRemote } from "./git-remote.ts"
import { Verify } from "./git-verify.ts"
import { ServedObjects } from "./objects.ts"
import { RolloutSettings } from "./rollout-settings.ts"
import { Signing } from "./trust.ts"
import { Duration, GitUrl, HttpUrl, NamespaceName, NamespacePattern, Percent, Text, Wait } from "./units.ts"

const name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "expected lower-case letters, digits, - and .")
/** As rules and kubeconfigs call it, such as `build01`, `ci/api-build01:6443` or `arn:aws:eks:…:cluster/prod`. */
export const ClusterName = z
  .string()
  .regex(/^[A-Za-z0-9]([-\w.:/]*[A-Za-z0-9])?$/, "expected letters, digits, -, _, ., : and /")

const ClusterPattern = z
  .string()
  .regex(/^[A-Za-z0-9*]([-\w.:/*]*[A-Za-z0-9*])?$/, "expected letters, digits, -, _, ., :, / and *")

const Source = z.strictObject({
  url: GitUrl.describe("Where to fetch from: HTTPS, SSH or a local path. Never taken from a payload."),
  branch: Text.describe("The branch to follow."),
  rules: z
    .union([Text, z.strictObject({ source: name, path: Text })])
    .describe("Path of the rules in this source, or the source and path that holds them."),
  repo: z
    .string()
    .regex(/^[^/\s]+\/[^/\s]+$/, "expected ORG/NAME")
    .optional()
    .describe("ORG/NAME on GitHub, for webhooks and access lists; otherwise taken from the URL."),
  auth: GitAuth.optional(),
  ...gitRemote,
  verify: Verify.optional().describe(
    "Show only commits that allowed keys have signed; also asked of the source of the rules, unless that has its own. Absent: any commit of the branch.",
  ),
  poll: Wait.prefault("30s").describe("How often to poll the branch without a trigger; jittered."),
  allowForcePush: z.boolean().prefault(false).describe("Follow a branch that is no longer a descendant."),
  foreignKeys: z
    .enum(["remove", "keep"])
    .prefault("remove")
    .describe("Keys of our ConfigMaps that no rule names."),
  strict: z.boolean().prefault(false).describe("Several files for one key are an error, not a warning."),
  gates: Gates.optional().describe(
    "What each commit must meet before anything of it is written; `check` judges pull requests by the same.",
  ),
  rollout: RolloutSettings.optional().describe(
    "By which stages a commit reaches clusters and nodes; absent: every commit reaches all of them.",
  ),
})

const namespaces = z
  .array(NamespacePattern)
  .optional()
  .describe(
    "Namespaces that rules may name here, or patterns of them: `*` is any number of letters, and opens none of Kubernetes' own (`kube-…`), which are named themselves or as `kube-*`. Absent: new ConfigMaps go to `defaults.namespace` alone, and those that exist elsewhere are still written.",
  )
const store = z
  .boolean()
  .optional()
  .describe("Keep the store that agents read; false: named ConfigMaps alone. True unless it is said.")

const Cluster = z.strictObject({
  inCluster: z.boolean().optional().describe("The cluster that this program runs in."),
  kubeconfig: Text.optional().describe("Path of a kubeconfig."),
  context: Text.optional().describe("Context of that kubeconfig; otherwise its current one."),
  tokenFile: Text.optional().describe(
    "File with a token to use in place of the kubeconfig's or the Pod's own; read for every request.",
  ),
  namespaces,
  store,
})

const Kubeconfigs = z.strictObject({
  folder: Text.describe(
    "Every context of every file in it is a cluster of that name; read again every few seconds.",
  ),
  suffix: z.string().prefault("").describe("Take only files whose names end so."),
  namespaces,
  store,
})

const Guard = z.strictObject({
  deletedKeys: Percent.prefault("20%").describe(
    "Share of all keys that one change may delete without approval.",
  ),
  deletedConfigMaps: Percent.prefault("10%").describe("Share of all ConfigMaps that one change may empty."),
  atLeast: z
    .int()
    .min(0)
    .prefault(20)
    .describe(
      "Up to this many keys are deleted without a look at their share, so that small repositories stay usable; ConfigMaps of three keys or more that lose all of them count all the same.",
    ),
  window: Duration.prefault("6h").describe(
    "Deletions of commits that came into force within this time count together; 0s: each counts alone.",
  ),
})

const GitHub = z.strictObject({
  apiUrl: HttpUrl.prefault("https://api.github.com").describe(
    "GitHub's API; of a GitHub Enterprise Server: https://HOST/api/v3.",
  ),
  tokenFile: Text.optional().describe("File that holds a token which may comment and set statuses."),
  githubApp: GitAuth.shape.githubApp,
  comment: z.boolean().prefault(true).describe("Comment on merged pull requests what became of them."),
  status: z
    .boolean()
    .prefault(true)
    .describe("Set a commit status on merged commits: `success` once every node shows them."),
  deployments: z
    .boolean()
    .prefault(true)
    .describe(
      "Give merged commits a deployment for each cluster, which succeeds once every node of it shows them. Needs the right to write deployments.",
    ),
})

/** The operator's file: plugin and bootstrapper read the same one. */
export const OperatorSettings = z
  .strictObject({
    version: z.literal(1),
    settingsVersion: z
      .int()
      .min(0)
      .optional()
      .describe(
        "Grows with every change of this file. Programs with a smaller one, or none, write nothing once a record has seen it; two contents of one version stop the source.",
      ),
    sources: z.record(name, Source),
    clusters: z
      .record(ClusterName, Cluster)
      .prefault({})
      .describe(
        "By the names that rules call them; each has kubeconfig or inCluster, or is of `kubeconfigs`.",
      ),
    kubeconfigs: Kubeconfigs.optional().describe(
      "A folder of kubeconfigs that brings clusters. What `clusters` says of one of them goes before.",
    ),
    otherClusters: z
      .array(ClusterPattern)
      .prefault([])
      .describe(
        "Clusters that rules may name and that another program writes, such as Prow until you take them over: what rules want there is left to it. Names, or patterns in which `*` is any number of letters; what `clusters` lists goes before a pattern.",
      ),
    defaults: z
      .strictObject({ cluster: Text.prefault("default"), namespace: NamespaceName.prefault("default") })
      .prefault({})
      .describe("Where a rule goes that names no cluster, and what an empty namespace means."),
    namespace: NamespaceName.prefault("headrace").describe(
      "Headrace's own namespace, for records and the store.",
    ),
    programsNamespace: NamespaceName.prefault("headrace").describe(
      "Namespace of the programs and their settings, in every cluster: no rule may name it, and agents may report there. Best another than `namespace`, so that the right to write records reaches no agent's settings.",
    ),
    guard: z.union([z.literal("off"), Guard]).prefault({}),
    signing: Signing.optional().describe(
      "Sign every record, and believe none that is not signed. Absent: records are not signed.",
    ),
    redis: z
      .strictObject({
        url: Text.optional().describe("redis://, rediss://, redis+sentinel:// or redis+cluster://."),
        urlFile: Text.optional().describe("File that holds the URL, as it may hold a password."),
        prefix: z
          .string()
          .regex(/^[A-Za-z0-9][-._A-Za-z0-9]*$/, "expected letters, digits, -, . and _")
          .prefault("headrace")
          .describe(
            "First part of every key; each of several installations in one Redis needs its own. All keys share it as hash tag, so they are in one slot of a Redis Cluster.",
          ),
      })
      .prefault({})
      .describe("Where lanes and deliveries are kept; without a URL, the environment's REDIS_URL."),
    webhook: z
      .strictObject({
        secretFiles: z.array(Text).min(1).describe("Any of them may sign: add the new one first to rotate."),
        path: z
          .string()
          .regex(/^\/[-\w.~/]*$/, "expected a path such as /hook")
          .prefault("/hook"),
      })
      .optional(),
    wake: z
      .strictObject({
        secretFiles: z
          .array(Text)
          .min(1)
          .describe("Any of them may be the bearer token: add the new one first to rotate."),
      })
      .optional()
      .describe(
        "Lets other forges and CI jobs wake a source by POST /wake/SOURCE; absent: nothing is served there.",
      ),
    objects: ServedObjects.optional().describe(
      "Serve the store's objects to agents by GET /objects/DIGEST, on the port of `--objects-listen` alone; absent: they are read from the API server.",
    ),
    github: GitHub.optional().describe("Absent: nothing is said on GitHub."),
    statusPage: z
      .enum(["loopback", "all", "off"])
      .prefault("loopback")
      .describe(
        "Who may read the status page, /status of the operations port. `loopback`: this machine alone, as kubectl port-forward does; `all`: everyone who reaches the port; `off`: there is none.",
      ),
    mirrors: Text.prefault("/var/cache/headrace").describe("Folder for the bare git mirrors."),
    bounds: WriterBounds.describe(
      "What one merge, one cluster or one sender may cost at most (docs/reference/bounds.md).",
    ),
  })
  .check(({ value: { signing, namespace, programsNamespace }, issues }) => {
    const words = signing?.words
    if (words === undefined || ![namespace, programsNamespace].includes(words)) return
    const message = "expected a namespace of its own: who may write there may say hold, rewind and approve"
    issues.push({ code: "custom", message, input: words, path: ["signing", "words"] })
  })
  .check(({ value: { clusters, kubeconfigs, objects }, issues }) => {
    if (kubeconfigs !== undefined) return
    for (const [at, cluster] of (objects?.clusters ?? []).entries()) {
      if (Object.hasOwn(clusters, cluster)) continue
      const message = `there is no cluster ${JSON.stringify(cluster)}: ${suggestion(cluster, Object.keys(clusters))}`
      issues.push({ code: "custom", message, input: cluster, path: ["objects", "clusters", at] })
    }
  })
  .check(({ value: { clusters, otherClusters }, issues }) => {
    for (const [at, cluster] of otherClusters.entries()) {
      if (!Object.hasOwn(clusters, cluster)) continue
      const message = `cluster ${JSON.stringify(cluster)} is under "clusters" too: remove it from one of them`
      issues.push({ code: "custom", message, input: cluster, path: ["otherClusters", at] })
    }
  })
  .check(({ value: { sources }, issues }) => {
    for (const [name, { rules }] of Object.entries(sources)) {
      if (typeof rules === "string" || Object.hasOwn(sources, rules.source)) continue
      const message = `there is no source ${JSON.stringify(rules.source)}: ${suggestion(rules.source, Object.keys(sources))}`
      issues.push({
        code: "custom",
        message,
        input: rules.source,
        path: ["sources", name, "rules", "source"],
      })
    }
  })
export type OperatorSettings = z.infer<typeof OperatorSettings>
export type SourceSettings = OperatorSettings["sources"][string]
export type GitHubSettings = NonNullable<OperatorSettings["github"]>
export type ClusterSettings = OperatorSettings["clusters"][string]
