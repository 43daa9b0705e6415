import { z } from "zod"
import { FULL_ID } from "../foundation/object-id.ts"
import { FileMode } from "./agent-permissions.ts"
import { GitAuth } from "./git-auth.ts"
import { gitRemote } from "./git-remote.ts"
import { AbsolutePath, GitUrl, NamespaceName, Text, Wait } from "./units.ts"

const PLACE = "expected NAMESPACE/NAME"
const place = z.string({ error: PLACE }).regex(/^[^/]+\/[^/]+$/, PLACE)

const Item = z.strictObject({
  key: Text.describe(
    "A key of the ConfigMap, or with git and folder a file's path (below `strip`); one that is absent is an error unless `optional`.",
  ),
  path: Text.describe("Where its file goes, relative to `under`."),
  mode: FileMode.optional().describe("Permission bits of this file."),
})

const Live = z
  .strictObject({
    configMap: place.optional().describe("One ConfigMap, NAMESPACE/NAME."),
    secret: place
      .optional()
      .describe(
        "One Secret, NAMESPACE/NAME; its projection's files are 0400 unless permissions say otherwise.",
      ),
    labelSelector: Text.optional().describe(
      "Every ConfigMap, or Secret, that this Kubernetes selector matches.",
    ),
    kind: z
      .enum(["ConfigMap", "Secret"])
      .prefault("ConfigMap")
      .describe("With labelSelector: what it selects."),
    namespaces: z
      .array(NamespaceName)
      .min(1)
      .optional()
      .describe("With labelSelector: where to look; absent: in all namespaces."),
    uniqueNames: z
      .boolean()
      .prefault(false)
      .describe("With labelSelector: put files under NAMESPACE.NAME/, so that equal keys do not meet."),
  })
  .refine(
    ({ configMap, secret, labelSelector }) =>
      [configMap, secret, labelSelector].filter((given) => given !== undefined).length === 1,
    { message: "expected one of configMap, secret and labelSelector" },
  )
  .refine(({ labelSelector, kind }) => labelSelector !== undefined || kind === "ConfigMap", {
    message: "kind needs labelSelector: configMap and secret name their kind",
    path: ["kind"],
  })
  .refine(({ labelSelector, namespaces }) => labelSelector !== undefined || namespaces === undefined, {
    message: "namespaces needs labelSelector: configMap and secret name their namespace",
    path: ["namespaces"],
  })
  .refine(({ labelSelector, uniqueNames }) => labelSelector !== undefined || !uniqueNames, {
    message: "uniqueNames needs labelSelector: one object has no equal keys",
    path: ["uniqueNames"],
  })

const Git = z
  .strictObject({
    url: GitUrl.describe("Where to fetch from: HTTPS, SSH or a local path."),
    branch: Text.optional().describe("Follow this branch."),
    tag: Text.optional().describe("Follow this tag, wherever it is moved."),
    commit: z
      .string()
      .regex(FULL_ID, "expected a full commit id")
      .optional()
      .describe("Stay at this commit; with branch: it must be one of that branch."),
    allowForcePush: z
      .boolean()
      .prefault(false)
      .describe("Follow the branch also to a commit that has fewer ancestors than the one shown."),
    paths: z
      .array(Text)
      .min(1)
      .optional()
      .describe("Only files at or under these paths; absent: the whole tree."),
    unknownContent: z
      .enum(["refuse", "leave-out"])
      .prefault("refuse")
      .describe(
        "A commit with submodules, Git LFS pointers, links that do not resolve or names that are not UTF-8 under `paths`: refuse keeps what is shown, leave-out shows the rest; both name them.",
      ),
    strip: Text.optional().describe("Folder of the repository that `under` replaces."),
    auth: GitAuth.optional(),
    ...gitRemote,
    poll: Wait.prefault("10s").describe("How often to fetch; jittered."),
  })
  .refine(
    ({ branch, tag, commit }) => (tag === undefined) === (branch !== undefined || commit !== undefined),
    {
      message: "expected branch, tag or commit; only branch and commit go together",
    },
  )

/** One source of a projection's files. */
export const From = z
  .strictObject({
    configMap: place.optional().describe("A target of the record, NAMESPACE/NAME."),
    live: Live.optional().describe("ConfigMaps as they are in the cluster, Headrace's or not."),
    git: Git.optional().describe("A git repository, without the store."),
    folder: AbsolutePath.optional().describe(
      "A folder of this node that another program publishes, followed through its link: git-sync's link, a mounted ConfigMap, another agent's projection.",
    ),
    under: Text.optional().describe("Folder of the projection that its files go to."),
    names: z
      .enum(["keys", "paths"])
      .prefault("keys")
      .describe("Files by ConfigMap key, as a mount shows them, or by the repository's own paths."),
    optional: z
      .boolean()
      .prefault(false)
      .describe("An absent ConfigMap (or key of `items`) counts as empty, and not as a reason to wait."),
    items: z.array(Item).min(1).optional().describe("Only these keys or files, at these paths."),
    mode: FileMode.optional().describe(
      "Permission bits of all its files; otherwise 0444, or 0555 for executables.",
    ),
    gunzip: z
      .union([z.boolean(), z.array(Text)])
      .prefault(false)
      .describe("With `live`: undo gzip for all keys, or for these. Record targets need no such word."),
  })
  .refine(
    ({ configMap, live, git, folder }) =>
      [configMap, live, git, folder].filter((from) => from !== undefined).length === 1,
    {
      message: "expected one of configMap, live, git and folder",
    },
  )
  .refine(({ configMap, names }) => configMap !== undefined || names === "keys", {
    message:
      "names: paths needs configMap: git and folder always show paths, and live objects have keys alone",
    path: ["names"],
  })
  .refine(({ live, gunzip }) => live !== undefined || gunzip === false, {
    message: "gunzip needs live: targets of the record are always unpacked, and files are shown as they are",
    path: ["gunzip"],
  })
export type FromSettings = z.infer<typeof From>
export type LiveSettings = z.infer<typeof Live>
export type GitFromSettings = z.infer<typeof Git>
