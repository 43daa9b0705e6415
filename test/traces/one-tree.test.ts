import { join } from "node:path"
import { type Agent, createAgent } from "@headrace/agent/project/agent"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { openTraces } from "@headrace/shared/observe/open-traces"
import type { Traces } from "@headrace/shared/observe/traces"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { describe, expect, it } from "vitest"
import { githubEvent } from "../harness/github-events.ts"
import { until } from "../harness/until.ts"
import { type ReceivedSpan, withCollector } from "../harness/with-collector.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type MergeSite, withMergeSite } from "../harness/with-merge-site.ts"

const LIMIT_MS = 150_000
const AGENTS = 50
const log = createLog("traces", { level: "silent" })
const FILES = {
  "rules.yaml": "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {build01: [ci]}}\n",
  "jobs/a.yaml": "a: 1\n",
}

describe("the trace of a commit", () => {
  it(`is one tree from the webhook to the last notice on ${AGENTS} nodes, by ids that each works out`, () =>
    withSite(async ({ site, spans, flush }) => {
      await withAgents(site, await flush.agents(), async (agents) => {
        await untilAll(agents, await site.repo.tip())
        const before = await site.repo.tip()
        const commit = await site.repo.commit({ "jobs/a.yaml": "a: 2\n" })
        expect((await site.deliver("push", githubEvent.push({ sha: commit, before }))).status).toBe(202)
        // GitHub sends the same change again as another event: the trace has one root all the same.
        await site.deliver("push", githubEvent.push({ sha: commit, before }))
        await untilAll(agents, commit)
        await flush.all()

        const tree = spans().filter(({ traceId }) => traceId === commit.slice(0, 32))
        expect(roots(tree)).toMatchObject([{ name: "headrace.webhook", service: "headrace-plugin" }])
        expect(new Set(tree.map(({ spanId }) => spanId)).size).toBe(tree.length)
        expect(countByName(tree)).toEqual({
          "headrace.webhook": 1,
          "headrace.lane": 1,
          "headrace.reconcile": 1,
          "headrace.record": 2,
          "headrace.fetch": 1 + AGENTS,
          "headrace.plan": 1,
          "headrace.store": 2,
          "headrace.view": 1,
          "headrace.swap": 1,
          "headrace.show": AGENTS,
          "headrace.stage": AGENTS,
          "headrace.flip": AGENTS,
          "headrace.notice": AGENTS,
        })
        for (const name of ["headrace.show", "headrace.notice"]) {
          const nodes = tree.filter((span) => span.name === name).map(nodeOf)
          expect(new Set(nodes).size).toBe(AGENTS)
        }
        const way = wayOf(
          tree,
          tree.find(({ name }) => name === "headrace.notice"),
        )
        expect(way).toEqual([
          ...["headrace.notice", "headrace.show", "headrace.swap", "headrace.reconcile"],
          ...["headrace.lane", "headrace.webhook"],
        ])
        for (const span of tree) expect(wayOf(tree, span).at(-1), span.name).toBe("headrace.webhook")
      })
    }))

  it("ends with the reason where a commit is stopped", () =>
    withSite(async ({ site, spans, flush }) => {
      await until(() => site.shown("jobs")["a.yaml"] === "a: 1\n", LIMIT_MS)
      const before = await site.repo.tip()
      const commit = await site.repo.commit({ "rules.yaml": "config_updater: [" })
      const delivery = await site.deliver("push", githubEvent.push({ sha: commit, before }))
      await until(async () => (await delivery.outcome())?.startsWith("stopped") === true, LIMIT_MS)
      await flush.all()
      const tree = spans().filter(({ traceId }) => traceId === commit.slice(0, 32))
      expect(tree.filter(({ status }) => status === 2).map(({ name }) => name)).toEqual([
        "headrace.reconcile",
      ])
      expect(tree.map(({ name }) => name)).not.toContain("headrace.swap")
    }))
})

interface Site {
  site: MergeSite
  spans(): ReceivedSpan[]
  flush: { agents(): Promise<Traces>; all(): Promise<void> }
}

function withSite(test: (site: Site) => Promise<void>): Promise<void> {
  return withCollector(async ({ url, spans }) => {
    const open = async (program: string): Promise<Traces> => {
      const traces = await openTraces({ program, version: "0", endpoint: url, env: {}, log })
      if (traces === undefined) throw new Error("traces are off")
      return traces
    }
    const ofPlugin = await open("headrace-plugin")
    const ofAgents = await open("headrace-agent")
    const all = async () => {
      await Promise.all([ofPlugin.close(), ofAgents.close()])
    }
    try {
      await withMergeSite(
        FILES,
        async (site) => {
          await site.start()
          await test({ site, spans: () => spans, flush: { agents: async () => ofAgents, all } })
        },
        { traces: ofPlugin },
      )
    } finally {
      await all()
    }
  })
}

/** Agents of as many nodes, each with a projection and a consumer to notify. */
function withAgents(site: MergeSite, traces: Traces, use: (agents: Agent[]) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const stop = new AbortController()
    const agents = Array.from({ length: AGENTS }, (_, index) => {
      const settings = parseSettings(settingsOf(join(folder, `n${index}`), index), "a.yaml", AgentSettings)
      return createAgent(settings, { reader: inProcessClient(site.store), clock: systemClock, log, traces })
    })
    const running = Promise.all(agents.map((agent) => agent.run(stop.signal)))
    try {
      await use(agents)
    } finally {
      stop.abort(new Error("the test is over"))
      await running
    }
  })
}

function settingsOf(folder: string, index: number): string {
  return `version: 1
record: headrace/release
report: {node: node-${index}}
projections:
  jobs:
    path: ${folder}
    durability: none
    from: [{configMap: ci/jobs}]
    notify: [{touch: ${folder}.notified}]
`
}

function untilAll(agents: readonly Agent[], commit: string): Promise<void> {
  return until(
    () =>
      agents.every(
        (agent) => agent.isTold() && agent.projections().every(({ shown }) => shown?.id === commit),
      ),
    LIMIT_MS,
  )
}

function roots(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  return spans.filter(({ parentSpanId }) => parentSpanId === "")
}

function countByName(spans: readonly ReceivedSpan[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { name } of spans) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function nodeOf({ attributes }: ReceivedSpan): unknown {
  return attributes["headrace.node"]
}

/** The names from a span up to its root; "nothing" at the end where a parent is missing. */
function wayOf(spans: readonly ReceivedSpan[], from: ReceivedSpan | undefined): string[] {
  if (from === undefined) return ["nothing"]
  if (from.parentSpanId === "") return [from.name]
  return [
    from.name,
    ...wayOf(
      spans,
      spans.find(({ spanId }) => spanId === from.parentSpanId),
    ),
  ]
}
