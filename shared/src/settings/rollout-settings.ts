import { z } from "zod"
import { Duration, HttpUrl, Percent, Text, Wait } from "./units.ts"

/** What the labels of all stages may measure together as JSON, since records carry them: a record stays under 4 KiB. */
const MOST_LABELS = 300

/** All of them are asked in one look. */
const MOST_CHECKS = 16

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
  http: z
    .array(
      z.strictObject({
        url: HttpUrl.describe(
          "URL to GET: any 2xx within 5s passes. Redirects to another host or port are not followed.",
        ),
        every: Wait.prefault("10s").describe("How often while a stage is open."),
      }),
    )
    .max(MOST_CHECKS)
    .optional()
    .describe("URLs that must answer well. One that does not fails the stage, and delays its beginning."),
  prometheus: z
    .array(
      z.strictObject({
        url: HttpUrl.describe("Where Prometheus is, such as `http://prometheus:9090`."),
        query: Text.describe("Instant query in PromQL. An error or an answer without any value fails."),
        max: z.number().describe("The largest value that passes. NaN fails."),
        every: Wait.prefault("10s").describe("How often while a stage is open."),
      }),
    )
    .max(MOST_CHECKS)
    .optional()
    .describe("Queries whose values must not be too large, as under `http`."),
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
