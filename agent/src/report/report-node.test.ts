import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { Clock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { NodeReport, REPORT_ANNOTATION } from "@headrace/shared/record/node-report"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { it } from "@headrace/test/harness/fixtures"
import { runAgentProgram, withAgentProcess } from "@headrace/test/harness/with-agent-process"
import type { TestKube } from "@headrace/test/harness/with-kube"
import { withRepo } from "@headrace/test/harness/with-repo"
import { commitOf, writeRevision } from "@headrace/test/harness/write-revision"
import { describe, expect } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { createLatest } from "../watch/latest.ts"
import { type LeaseClient, leaseName } from "./node-lease.ts"
import { nodeReport } from "./node-report.ts"
import type { ProjectionStatus } from "./projection-status.ts"
import { reportNode } from "./report-node.ts"

const PATIENT = { timeout: 150_000 }

interface Lease {
  metadata: { name: string; resourceVersion: string; annotations: Record<string, string> }
  spec: { holderIdentity: string; leaseDurationSeconds: number; renewTime: string }
}

async function lease(kube: TestKube, name: string): Promise<Lease | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/headrace/leases/${name}`
  const answer = await fetch(kube.url + path, { headers: { authorization: `Bearer ${kube.token}` } })
  return answer.ok ? ((await answer.json()) as Lease) : undefined
}

async function report(kube: TestKube, name: string): Promise<NodeReport | undefined> {
  const text = (await lease(kube, name))?.metadata.annotations[REPORT_ANNOTATION]
  return text === undefined ? undefined : NodeReport.parse(JSON.parse(text))
}

describe("a node's Lease", () => {
  it("says what each projection shows and what is wrong, on change and not more often", async ({
    folder,
    kube,
  }) => {
    const writer = inProcessClient(kube.store)
    const settings = `report: {node: Node_7.example}
projections:
  jobs: {path: ${folder}/jobs, from: [{configMap: ci/jobs}]}
  lost: {path: ${folder}/lost, from: [{configMap: ci/lost}]}
`
    await writeRevision(writer, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const { kubeconfigFile } = kube
    await withAgentProcess({ folder, kubeconfigFile, settings }, async () => {
      const name = "headrace-agent-node-7.example"
      await expect
        .poll(
          async () =>
            (await report(kube, name))?.projections.map((each) => each.problem?.code ?? each.revision),
          PATIENT,
        )
        .toEqual(["projection/waits", commitOf(1)])
      const first = await lease(kube, name)
      expect(first?.spec).toMatchObject({ holderIdentity: "Node_7.example", leaseDurationSeconds: 180 })
      expect((await report(kube, name))?.lowest).toBe(null)

      await writeRevision(writer, {
        seq: 2,
        targets: { "ci/jobs": { x: "two" }, "ci/lost": { y: "found" } },
      })
      await expect.poll(async () => (await report(kube, name))?.lowest, PATIENT).toEqual({ epoch: 0, seq: 2 })
      const { projections = [] } = (await report(kube, name)) ?? {}
      expect(projections.map((each) => [each.revision, each.problem])).toEqual([
        [commitOf(2), null],
        [commitOf(2), null],
      ])
      const settled = (await lease(kube, name))?.metadata.resourceVersion
      await new Promise((resolve) => setTimeout(resolve, 1000))
      expect((await lease(kube, name))?.metadata.resourceVersion).toBe(settled)
    })
  })

  it("is written at once when something changed, then rests a second, and is renewed over a clock set back", async () => {
    const times: number[] = []
    const waits: number[] = []
    const stop = new AbortController()
    let now = 1_000_000
    const clock: Clock = {
      now: () => now,
      async sleep(milliseconds, signal) {
        signal?.throwIfAborted()
        waits.push(milliseconds)
        now += milliseconds
        // A year back in the middle of a period; then three more renewals are enough.
        if (times.length === 2 && milliseconds > 1000) now -= 365 * 86_400_000
        if (times.length === 5) stop.abort()
        await new Promise((resolve) => setImmediate(resolve))
      },
    }
    const client: LeaseClient = {
      getJson: async () => undefined,
      async sendJson() {
        times.push(now)
        return { metadata: { resourceVersion: String(times.length) } }
      },
      remove: async () => undefined,
    }
    const yaml = "version: 1\nreport: {node: n, every: 60s}\n"
    const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
    const log = createLog("test", { level: "silent" })
    const changes = createLatest<true>()
    await reportNode(settings, { client, clock, log, projections: () => [], changes }, stop.signal)
    expect(times).toHaveLength(5)
    expect(waits.filter((wait) => wait === 1000)).toHaveLength(5)
    // Every period with its jitter, from 0.75 to 1.25 of a minute.
    const renewals = waits.filter((wait) => wait > 1000)
    expect(Math.max(...renewals)).toBeLessThanOrEqual(75_000)
    expect(Math.min(...renewals.filter((wait) => wait > 2000))).toBeGreaterThanOrEqual(43_000)
  })

  it("has a name that Kubernetes takes, whatever the node is called", () => {
    expect(leaseName("ip-10-0-0-1.ec2.internal")).toBe("headrace-agent-ip-10-0-0-1.ec2.internal")
    expect(leaseName("Ünïcode Node!")).toBe("headrace-agent--n-code-node")
    expect(leaseName("x".repeat(300))).toHaveLength(253)
  })

  it("stays small with a thousand projections, and counts those that it leaves out", () => {
    const statuses: ProjectionStatus[] = Array.from({ length: 1000 }, (_, at) => ({
      name: `ns/config-map-${at}`,
      path: `/var/lib/headrace/every/ns/config-map-${at}`,
      ofRecord: true,
      current: true,
      shown: {
        id: commitOf(at),
        token: { epoch: 0, seq: 1000 + at },
        number: at,
        since: "2026-01-01T00:00:00.000Z",
      },
      ...(at === 999
        ? { problem: { code: "a/b", message: "m".repeat(5000), since: "2026-01-01T00:00:00.000Z" } }
        : {}),
    }))
    const made = nodeReport("node", "headrace/release", statuses)
    expect(made.projections[0]).toMatchObject({ name: "ns/config-map-999", problem: { code: "a/b" } })
    expect(made.projections.length + made.more).toBe(1000)
    expect(made.lowest).toEqual({ epoch: 0, seq: 1000 })
    expect(JSON.stringify(made).length).toBeLessThan(32 * 1024)
  })

  it("counts by the record's tokens alone, not by those of other sources", () => {
    const status = (name: string, ofRecord: boolean, seq: number): ProjectionStatus => {
      const shown = {
        id: commitOf(seq),
        token: { epoch: 0, seq },
        number: 1,
        since: "2026-01-01T00:00:00.000Z",
      }
      return { name, path: `/${name}`, ofRecord, current: true, shown }
    }
    const discovery = { name: "everyTarget", path: "/every", ofRecord: false, current: true }
    const made = nodeReport("node", "headrace/release", [
      status("live", false, 3),
      status("target", true, 1000),
      discovery,
    ])
    expect(made.lowest).toEqual({ epoch: 0, seq: 1000 })
    expect(made.projections.map(({ token }) => token?.seq)).toEqual([undefined, 1000, undefined])
  })
})

describe("headrace-agent --once and check", () => {
  async function config(folder: string, kube: TestKube, target: string): Promise<string> {
    const file = join(folder, "agent.yaml")
    await writeFile(
      file,
      `version: 1
record: headrace/release
kubeconfig: ${kube.kubeconfigFile}
projections:
  jobs: {path: ${folder}/jobs, from: [{configMap: ${target}}], notify: [{touch: ${folder}/touched}]}
`,
    )
    return file
  }

  it("ends with 0 once everything is shown and notified, and names what is missing when time is up", async ({
    folder,
    kube,
  }) => {
    await writeRevision(inProcessClient(kube.store), { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const done = runAgentProgram(["--config", await config(folder, kube, "ci/jobs"), "--once"])
    expect(await done.ended).toBe(0)
    expect(await readFile(`${folder}/jobs/x`, "utf8")).toBe("one")
    expect(await readFile(`${folder}/touched`, "utf8")).toContain(commitOf(1))
    const args = ["--config", await config(folder, kube, "ci/lost"), "--once", "--timeout", "500ms"]
    const late = runAgentProgram(args)
    expect(await late.ended).toBe(1)
    expect(late.errors()).toMatch(
      /waits for ConfigMap ci\/lost: release has no such target.*\[agent\/not-ready\]/s,
    )
    expect(await readFile(`${folder}/jobs/x`, "utf8")).toBe("one")
  })

  it("check says what cannot be shown, and writes nothing", async ({ folder, kube }) => {
    await writeRevision(inProcessClient(kube.store), { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const good = runAgentProgram(["--config", await config(folder, kube, "ci/jobs"), "check"])
    expect([await good.ended, good.output()]).toEqual([0, `jobs at ${folder}/jobs: ok: 1 files\n`])
    const elsewhere = join(folder, "agent.yaml")
    const text = await readFile(elsewhere, "utf8")
    await writeFile(elsewhere, text.replace(kube.kubeconfigFile, "/no/kubeconfig"))
    const asked = runAgentProgram(["check", "--config", elsewhere, "--kubeconfig", kube.kubeconfigFile])
    expect([await asked.ended, asked.output()]).toEqual([0, good.output()])
    await withRepo(async (repo) => {
      await repo.commit({ "a/b": "c", d: "e" })
      const file = join(repo.scratch, "agent.yaml")
      const from = `[{git: {url: ${repo.folder}, branch: main, paths: [a]}}]`
      const yaml = `{version: 1, kubeconfig: ${kube.kubeconfigFile}, mirrors: ${repo.scratch}/mirrors, projections: {tree: {path: ${folder}/tree, from: ${from}}}}`
      await writeFile(file, yaml)
      const git = runAgentProgram(["--config", file, "check"])
      expect([await git.ended, git.output()]).toEqual([0, `tree at ${folder}/tree: ok: 1 files\n`])
    })
    const bad = runAgentProgram(["--config", await config(folder, kube, "ci/lost"), "check"])
    expect(await bad.ended).toBe(1)
    expect(bad.output()).toContain("error: waits for ConfigMap ci/lost: release has no such target")
    const twice = `live: {configMap: headrace/release}, items: [{key: record.json, path: x}]`
    const same = runAgentProgram(["--config", await config(folder, kube, `ci/jobs}, {${twice}`), "check"])
    expect(await same.ended).toBe(1)
    expect(same.output()).toContain('error: two files for "x": ConfigMap ci/jobs, key x (x) and ConfigMap')
    expect((await readdir(folder)).filter((name) => name !== "agent.yaml")).toEqual([])
  })
})
