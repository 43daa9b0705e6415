import { z } from "zod"
import { AfterCheck } from "./agent-after.ts"
import { BeforePublish, Notify } from "./agent-notify.ts"
import { PermissionsSettings } from "./agent-permissions.ts"
import { From } from "./agent-sources.ts"
import { AgentBounds } from "./bounds.ts"
import { ObjectCaches } from "./objects.ts"
import { TrustSettings } from "./trust.ts"
import { AbsolutePath, Bytes, Duration, NamespaceName, Percent, Text, Wait } from "./units.ts"

const Keep = z.strictObject({
  revisions: z.int().min(1).prefault(3).describe("How many revisions stay, the current one among them."),
  age: Duration.prefault("10m").describe("Younger revisions stay in any case."),
  lease: Duration.prefault("24h").describe(
    "How long a reader's lease keeps a revision after it was replaced; 0s: as long as the reader holds it.",
  ),
  bytes: Bytes.prefault("2Gi").describe(
    "At this size publishing stops and alarms rather than fill the disk.",
  ),
})

const durability = z
  .enum(["fsync", "syncfs", "auto", "none"])
  .prefault("auto")
  .describe(
    "How a revision is made durable before it is shown: fsync of each file, one syncfs, or auto by their number.",
  )

const Guard = z.strictObject({
  deletedFiles: Percent.prefault("50%").describe(
    "Share of the files of an origin that one change may delete without approval.",
  ),
  atLeast: z
    .int()
    .min(0)
    .prefault(20)
    .describe(
      "Up to this many files are deleted without a look at their share; an origin of three files or more that loses all of them counts all the same.",
    ),
  window: Duration.prefault("6h").describe(
    "Deletions of changes that were shown within this time count together; 0s: each counts alone.",
  ),
})

const Projection = z.strictObject({
  path: AbsolutePath.describe("Folder to project to; absolute."),
  from: z.array(From).min(1).describe("Its origins, shown together as one revision."),
  uniqueBaseNames: z
    .union([z.boolean(), z.array(Text).min(1)])
    .prefault(false)
    .describe(
      "Refuse a revision in which two files have one base name, whichever folders and origins they are of; a list: only of files whose names end so, such as .yaml.",
    ),
  layout: z
    .enum(["links", "exchange", "file"])
    .prefault("links")
    .describe(
      "Links to moved directories as kubelet makes them, a real directory swapped whole, or one file.",
    ),
  link: z
    .string()
    .regex(/^[^/]+$/, "expected a name without a slash")
    .prefault("..data")
    .describe("Layout links: the link that is moved to each new revision."),
  visibleLinks: z
    .boolean()
    .optional()
    .describe("Layout links: make NAME -> LINK/NAME beside it; absent: when the link is ..data."),
  breakLeases: z
    .boolean()
    .prefault(true)
    .describe("At the size cap remove revisions that readers still hold rather than stop."),
  workFolder: AbsolutePath.optional().describe(
    "Folder of the same file system, outside of what readers see, for what is in the making: a recursive watcher of the projection then sees little more than the change. Absent: inside the projection.",
  ),
  permissions: PermissionsSettings.optional().describe("Modes and owner of what is published."),
  keep: Keep.prefault({}),
  durability,
  guard: z
    .union([z.literal("off"), Guard])
    .prefault({})
    .describe(
      "How much of git, live and folder origins a change may delete; more waits for `headrace-agent approve`. Targets of the record are judged by the operator's guard.",
    ),
  before: z
    .array(BeforePublish)
    .prefault([])
    .describe("Programs that may veto a revision before it is shown."),
  notify: z.array(Notify).prefault([]).describe("Consumers to notify of each published revision."),
  after: z
    .array(AfterCheck)
    .prefault([])
    .describe(
      "Checks of each revision once it is shown. The node's report has what they found; a candidate of a rollout that fails one gives way to the revision before.",
    ),
})

const EveryTarget = z.strictObject({
  path: AbsolutePath.describe(
    "Each target of the record becomes the projection PATH/NAMESPACE/NAME; absolute.",
  ),
  permissions: PermissionsSettings.optional().describe("Modes and owner of what is published."),
  keep: Keep.prefault({}),
  durability,
  notify: z
    .array(Notify)
    .prefault([])
    .describe("Consumers to notify of each published revision of any of them."),
})

const Report = z.strictObject({
  node: Text.optional().describe("Name to report under; otherwise HEADRACE_NODE_NAME or the host's name."),
  namespace: NamespaceName.optional().describe(
    "Where the Lease goes; otherwise HEADRACE_REPORT_NAMESPACE or the record's namespace.",
  ),
  every: Wait.prefault("60s").describe("How often at the least, jittered; changes are reported at once."),
  removeAtEnd: z
    .boolean()
    .prefault(false)
    .describe(
      "Remove the Lease when the agent ends: right for a pod that does not come back by the same name.",
    ),
  labels: z
    .record(Text, z.string())
    .prefault({})
    .describe("Labels of this node, by which the stages of a rollout can select it."),
})

const Confinement = z.strictObject({
  writable: z
    .array(AbsolutePath)
    .prefault([])
    .describe(
      "Folders that hooks and credential programs write to, or below which later settings will project; where Landlock confines the agent it and what it runs write nowhere else than there and to what the other settings name.",
    ),
})

/** The agent's file: one record, and what to show of it, and of other sources, where. */
export const AgentSettings = z
  .strictObject({
    version: z.literal(1),
    record: z
      .string()
      .regex(/^[^/]+\/[^/]+$/, "expected NAMESPACE/SOURCE")
      .optional()
      .describe(
        "The record to follow: Headrace's namespace and the source's name. Not needed without targets of it.",
      ),
    trust: TrustSettings.optional().describe(
      "Show only records that a writer with one of these keys has signed. Absent: any record.",
    ),
    objects: ObjectCaches.optional().describe(
      "Read the store's objects from these first, and from the API server what they do not give. Absent: from the API server alone.",
    ),
    kubeconfig: Text.optional().describe("Else the pod's own service account."),
    context: Text.optional(),
    projections: z.record(z.string(), Projection).prefault({}),
    everyTarget: EveryTarget.optional().describe("Project all targets, those that rules add later too."),
    listen: Text.prefault("127.0.0.1:9474").describe(
      "HOST:PORT of /healthz, /readyz and /metrics; port 0 picks one.",
    ),
    jitter: Duration.prefault("0s").describe(
      "Spread of the first read after a change, so that a thousand nodes do not ask at once.",
    ),
    report: Report.optional().describe("Report what this node shows as a Lease; absent: no report."),
    mirrors: Text.prefault("/var/cache/headrace").describe("Folder for the mirrors of git sources."),
    confinement: Confinement.prefault({}),
    bounds: AgentBounds.describe(
      "What one writer, one cluster or one git server may cost at most (docs/reference/bounds.md).",
    ),
  })
  .refine((settings) => settings.record !== undefined || !needsRecord(settings), {
    message: "expected NAMESPACE/SOURCE, the record whose targets a projection shows",
    path: ["record"],
  })

function needsRecord(settings: {
  everyTarget?: unknown
  projections: Record<string, { from: readonly { configMap?: string | undefined }[] }>
}): boolean {
  if (settings.everyTarget !== undefined) return true
  return Object.values(settings.projections).some(({ from }) =>
    from.some(({ configMap }) => configMap !== undefined),
  )
}

export type AgentSettings = z.infer<typeof AgentSettings>
export type ProjectionSettings = AgentSettings["projections"][string]
type FullKeepSettings = ProjectionSettings["keep"]
export type KeepSettings = Omit<FullKeepSettings, "lease"> & Partial<Pick<FullKeepSettings, "lease">>
