import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import type { Candidate } from "@headrace/shared/record/rollout-state"
import { createTestCluster, projectionYaml, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { writeCandidate } from "@headrace/test/harness/write-candidate"
import { commitOf, type TestRevision, writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import type { LeaseClient } from "../report/node-lease.ts"
import type { Agent, AgentPorts } from "./agent.ts"

const OLD: TestRevision = { seq: 1, targets: { "ci/jobs": { x: "old" } } }
const NEW: TestRevision = { seq: 2, targets: { "ci/jobs": { x: "new" } } }
/** The record after a return: the baseline in a new epoch. */
const RETURNED: TestRevision = { ...OLD, epoch: 1, record: { commit: commitOf(1) } }
const PATIENT = { timeout: 30_000 }

type TestCluster = ReturnType<typeof createTestCluster>

/** Keeps what an agent reports. */
function reportsOf() {
  const texts: string[] = []
  const client: LeaseClient = {
    getJson: async () => undefined,
    async sendJson(_method, _path, body) {
      const { metadata } = body as { metadata: { annotations: Record<string, string> } }
      texts.push(metadata.annotations[REPORT_ANNOTATION] ?? "")
      return { metadata: { resourceVersion: String(texts.length) } }
    },
    remove: async () => undefined,
  }
  const last = () => {
    const text = texts.at(-1)
    return text === undefined ? undefined : NodeReport.parse(JSON.parse(text))
  }
  return { client, last, texts }
}

interface Site {
  folder: string
  cluster: TestCluster
  reports: ReturnType<typeof reportsOf>
  /** What readers see of the projection's one file. */
  shown(): Promise<string>
  /** Runs the agent with these settings beside its projection of ci/jobs. */
  run<T>(use: (agent: Agent) => Promise<T>, options?: RunOptions): Promise<T>
  /** Makes the check of the projection fail, or pass. */
  answer(passes: boolean): Promise<void>
}

interface RunOptions {
  after?: string
  report?: string
  ports?: Partial<AgentPorts>
}

/** A projection with a check that fails while a file is there. */
async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const cluster = createTestCluster()
    const reports = reportsOf()
    const bad = join(folder, "bad")
    const check = `{exec: ["/bin/sh", "-c", "! test -e ${bad}"], every: 20ms, for: 1h}`
    await use({
      folder,
      cluster,
      reports,
      shown: () => readFile(join(folder, "shown", "x"), "utf8").catch(() => ""),
      answer: async (passes) => {
        const { rm } = await import("node:fs/promises")
        if (passes) await rm(bad, { force: true })
        else await writeFile(bad, "")
      },
      run: (work, { after = `[${check}]`, report = "{node: n1}", ports = {} } = {}) => {
        const from = `[{configMap: ci/jobs}]\n    after: ${after}`
        const yaml = projectionYaml(folder, from, `report: ${report}\n`)
        return withAgent(cluster.kube, yaml, work, { leases: reports.client, lookEvery: 50, ...ports })
      },
    })
  })
}

async function rolloutOf({ reports }: Site) {
  return reports.last()?.rollout
}

function tokenOf(seq: number, epoch = 0) {
  return { epoch, seq }
}

const nobody: Partial<Candidate> = { bound: 0 }

describe("a candidate of a rollout", () => {
  it("is taken by chosen nodes alone, which report exactly what they show", async () => {
    await withSite(async (site) => {
      const { cluster, shown } = site
      await writeRevision(cluster.kube, OLD)
      await site.run(async () => {
        await expect.poll(shown, PATIENT).toBe("old")
        await writeCandidate(cluster.kube, OLD, NEW, nobody)
        await expect
          .poll(() => rolloutOf(site), PATIENT)
          .toMatchObject({
            shown: { token: tokenOf(1) },
            checks: "passing",
            keepsBaseline: null,
            failed: null,
          })
        expect(await shown()).toBe("old")
        await writeCandidate(cluster.kube, OLD, NEW)
        await expect.poll(shown, PATIENT).toBe("new")
        await expect
          .poll(() => rolloutOf(site), PATIENT)
          .toMatchObject({ shown: { token: tokenOf(2) }, checks: "passing" })
      })
    })
  })

  it("is selected by the labels of the agent's settings", async () => {
    await withSite(async (site) => {
      await writeRevision(site.cluster.kube, OLD)
      await site.run(
        async () => {
          await writeCandidate(site.cluster.kube, OLD, NEW, { bound: 0, selectors: [{ tier: "canary" }] })
          await expect.poll(site.shown, PATIENT).toBe("new")
          await expect.poll(async () => (await rolloutOf(site))?.labels).toEqual({ tier: "canary" })
        },
        { report: "{node: n1, labels: {tier: canary}}" },
      )
    })
  })

  it.each<[string, RunOptions, RegExp]>([
    ["without a name of its own", { report: "{every: 60s}" }, /no node name/],
    ["that runs once", { ports: { once: true } }, /runs once/],
  ])("is not taken by an agent %s, which says so", async (_whose, options, why) => {
    await withSite(async (site) => {
      await writeCandidate(site.cluster.kube, OLD, NEW)
      await site.run(async () => {
        await expect.poll(async () => (await rolloutOf(site))?.keepsBaseline, PATIENT).toMatch(why)
        await expect.poll(site.shown, PATIENT).toBe("old")
      }, options)
      expect(await site.shown()).toBe("old")
    })
  })

  it("gives way to the baseline where its check fails, for good and before the record says so", async () => {
    await withSite(async (site) => {
      const { cluster, shown, reports } = site
      await writeRevision(cluster.kube, OLD)
      await site.run(async (agent) => {
        await expect.poll(shown, PATIENT).toBe("old")
        await writeCandidate(cluster.kube, OLD, NEW)
        await expect.poll(shown, PATIENT).toBe("new")
        await site.answer(false)
        await expect.poll(shown, PATIENT).toBe("old")
        await expect
          .poll(() => rolloutOf(site), PATIENT)
          .toMatchObject({
            shown: { token: tokenOf(1) },
            failed: { token: tokenOf(2), projection: "shown", code: "projection/returned" },
          })
        // Neither a check that passes again nor looks at the disk lead back to it.
        await site.answer(true)
        const looks = reports.texts.length
        agent.lookNow()
        await expect.poll(() => agent.projections()[0]?.health?.checks, PATIENT).toBe("passing")
        expect(await shown()).toBe("old")
        expect(reports.texts.length).toBeGreaterThanOrEqual(looks)
      })
      // Nor a restart, while the record calls it a candidate.
      await site.run(async (agent) => {
        await expect.poll(() => agent.projections()[0]?.problem?.code, PATIENT).toBe("projection/returned")
        expect(await shown()).toBe("old")
        await writeRevision(cluster.kube, RETURNED)
        await expect.poll(() => agent.projections()[0]?.current, PATIENT).toBe(true)
        expect(agent.projections()[0]?.problem).toBe(undefined)
        await expect.poll(() => reports.last()?.lowest, PATIENT).toEqual(tokenOf(1, 1))
        expect(await shown()).toBe("old")
        // The next revision is followed.
        await writeRevision(cluster.kube, { ...NEW, seq: 3, epoch: 1 })
        await expect.poll(shown, PATIENT).toBe("new")
      })
    })
  })

  it("is shown again where an operator promotes it although it failed", async () => {
    await withSite(async (site) => {
      const { cluster, shown } = site
      await writeRevision(cluster.kube, OLD)
      await site.run(async (agent) => {
        await writeCandidate(cluster.kube, OLD, NEW)
        await expect.poll(shown, PATIENT).toBe("new")
        await site.answer(false)
        await expect.poll(() => agent.projections()[0]?.problem?.code, PATIENT).toBe("projection/returned")
        await writeRevision(cluster.kube, NEW)
        await expect.poll(shown, PATIENT).toBe("new")
        // It fails still: that is reported, and nothing else.
        await expect.poll(() => agent.projections()[0]?.health?.checks, PATIENT).toBe("failing")
        await expect.poll(() => agent.projections()[0]?.current, PATIENT).toBe(true)
        expect(await shown()).toBe("new")
      })
    })
  })

  it("leaves every node at once with a return, in a new epoch", async () => {
    await withSite(async (site) => {
      const { cluster, shown } = site
      await writeCandidate(cluster.kube, OLD, NEW)
      await site.run(
        async (agent) => {
          await expect.poll(shown, PATIENT).toBe("new")
          await writeRevision(cluster.kube, RETURNED)
          await expect.poll(shown, PATIENT).toBe("old")
          await expect.poll(() => agent.readiness().reasons, PATIENT).toEqual([])
          await writeCandidate(cluster.kube, RETURNED, { ...NEW, seq: 3, epoch: 2 })
          await expect.poll(shown, PATIENT).toBe("new")
        },
        { after: "[]" },
      )
    })
  })
})

describe("a check outside of a rollout", () => {
  it("that fails is reported, and what is shown stays", async () => {
    await withSite(async (site) => {
      await writeRevision(site.cluster.kube, OLD)
      await site.answer(false)
      await site.run(async (agent) => {
        await expect.poll(() => agent.projections()[0]?.health?.checks, PATIENT).toBe("failing")
        await expect
          .poll(() => site.reports.last()?.projections[0]?.problem?.code, PATIENT)
          .toBe("projection/unhealthy")
        expect(agent.readiness()).toMatchObject({ ready: true })
        const metrics = await agent.registry.metrics()
        expect(metrics).toContain('headrace_agent_check_passing{projection="shown",check="exec[0]"} 0')
        expect(await site.shown()).toBe("old")
        await site.answer(true)
        await expect.poll(() => site.reports.last()?.projections[0]?.problem, PATIENT).toBe(null)
      })
    })
  })

  it("leaves reports in format 1 where there is none and no rollout", async () => {
    await withSite(async (site) => {
      await writeRevision(site.cluster.kube, OLD)
      await site.run(
        async () => {
          await expect.poll(() => site.reports.last()?.lowest, PATIENT).toEqual(tokenOf(1))
          expect(JSON.parse(site.reports.texts.at(-1) ?? "")).toMatchObject({ format: 1 })
          expect(site.reports.texts.at(-1)).not.toContain("rollout")
        },
        { after: "[]" },
      )
    })
  })
})
