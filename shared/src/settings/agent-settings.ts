import { z } from "zod"
import { Bytes, Duration } from "./units.ts"

const Keep = z.strictObject({
  revisions: z.int().min(1).prefault(3).describe("How many revisions stay, the current one among them."),
  age: Duration.prefault("10m").describe("Younger revisions stay in any case."),
  bytes: Bytes.prefault("2Gi").describe(
    "At this size publishing stops and alarms rather than fill the disk.",
  ),
})

const From = z.strictObject({
  configMap: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, "expected NAMESPACE/NAME")
    .describe("A target of the record, NAMESPACE/NAME."),
  under: z.string().optional().describe("Folder of the projection that its files go to."),
  names: z
    .enum(["keys", "paths"])
    .prefault("keys")
    .describe("Files by ConfigMap key, as a mount shows them, or by the repository's own paths."),
})

const durability = z
  .enum(["fsync", "syncfs", "none"])
  .prefault("fsync")
  .describe("How a revision is made durable before it is shown.")

const Projection = z.strictObject({
  path: z.string().describe("Folder to project to; absolute."),
  from: z.array(From).min(1),
  layout: z.enum(["links"]).prefault("links"),
  keep: Keep.prefault({}),
  durability,
})

const EveryTarget = z.strictObject({
  path: z.string().describe("Each target of the record becomes the projection PATH/NAMESPACE/NAME."),
  keep: Keep.prefault({}),
  durability,
})

/** The agent's file: one record, and what to show of it where. */
export const AgentSettings = z.strictObject({
  version: z.literal(1),
  record: z
    .string()
    .regex(/^[^/]+\/[^/]+$/, "expected NAMESPACE/SOURCE")
    .describe("The record to follow: Headrace's namespace and the source's name."),
  kubeconfig: z.string().optional().describe("Else the pod's own service account."),
  context: z.string().optional(),
  projections: z.record(z.string(), Projection).prefault({}),
  everyTarget: EveryTarget.optional().describe("Project all targets, those that rules add later too."),
  listen: z
    .string()
    .prefault("127.0.0.1:9474")
    .describe("HOST:PORT of /healthz, /readyz and /metrics; port 0 picks one."),
})
export type AgentSettings = z.infer<typeof AgentSettings>
export type ProjectionSettings = AgentSettings["projections"][string]
export type KeepSettings = ProjectionSettings["keep"]
