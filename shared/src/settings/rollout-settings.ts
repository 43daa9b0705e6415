import { z } from "zod"
import { Duration, Percent, Text, Wait } from "./units.ts"

/** What the labels of all stages may measure together as JSON, since records carry them: a record stays under 4 KiB. */
const MOST_LABELS = 300

const NOT_YET = "this version judges a rollout by its nodes alone: remove it"

const Share = Percent.refine((share) => share > 0, "expected a share of at least 1%")

const Stage = z.strictObject({
  clusters: z
    .array(Text)
    .min(1)
    .optional()
    .describe('Names of clusters, "*" for any part of a name. Absent: every cluster.'),
  nodes: z
    .union([Share, z.strictObject({ matchLabels: z.record(Text, z.string()) })])
    .optional()
    .describe(
      "The share of their nodes, such as `5%`, or labels that the settings of agents give their nodes (`report.labels`). Absent: every node.",
    ),
  bake: Duration.prefault("0s").describe("How long every check must hold before the next stage begins."),
})

const Health = z.strictObject({
  nodes: z
    .strictObject({
      healthy: Share.prefault("100%").describe("Share of a stage's nodes that must be healthy."),
      within: Wait.prefault("5m").describe("How long a node may be silent, or not show the candidate."),
    })
    .prefault({}),
  http: z.never(NOT_YET).optional().describe("Not supported yet: refused."),
  prometheus: z.never(NOT_YET).optional().describe("Not supported yet: refused."),
})

/** How a source's revisions reach clusters and nodes by stages (docs/rollout.md). */
export const RolloutSettings = z
  .strictObject({
    stages: z.array(Stage).min(1).describe("In order. The last is for every node of every cluster."),
    health: Health.prefault({}),
    onFailure: z
      .enum(["return", "stop"])
      .prefault("return")
      .describe("`stop`: a candidate that fails stays where it is, and newer commits wait for an operator."),
    newer: z
      .enum(["finish", "restart"])
      .prefault("finish")
      .describe("What a newer commit does to a rollout under way."),
  })
  .check(({ value: { stages }, issues }) => {
    const last = stages.at(-1)
    if (last?.clusters ?? last?.nodes) {
      issues.push({
        code: "custom",
        message: "the last stage must be for every node of every cluster: give it neither clusters nor nodes",
        input: last,
        path: ["stages", stages.length - 1],
      })
    }
    const labels = stages.flatMap(({ nodes }) => (typeof nodes === "object" ? [nodes.matchLabels] : []))
    if (Buffer.byteLength(JSON.stringify(labels)) > MOST_LABELS) {
      issues.push({
        code: "custom",
        message: `the labels of all stages are longer than ${MOST_LABELS} bytes, and records have no room for more`,
        input: stages,
        path: ["stages"],
      })
    }
    stages.forEach(({ nodes }, index) => {
      if (typeof nodes !== "object" || Object.keys(nodes.matchLabels).length > 0) return
      issues.push({
        code: "custom",
        message: "expected at least one label",
        input: nodes,
        path: ["stages", index, "nodes", "matchLabels"],
      })
    })
  })
export type RolloutSettings = z.infer<typeof RolloutSettings>
