import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { NodeReport } from "@headrace/shared/record/node-report"
import type { FailedTarget, Token } from "@headrace/shared/record/record"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { postReport } from "@headrace/test/harness/post-lease"
import { type BootstrapperRun, runBootstrapper } from "@headrace/test/harness/run-bootstrapper"
import { withFolder } from "@headrace/test/harness/with-folder"
import { type TestKube, withKube } from "@headrace/test/harness/with-kube"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../../config/local/embedded-kube/in-process-client.ts"

interface Operator {
  repo: TestRepo
  /** Makes the record of the cluster show a commit of the repository, as reconcile would. */
  show(commit: string, seq: number, epoch?: number, failed?: FailedTarget[]): Promise<void>
  /** Writes a node's Lease, renewed some seconds ago; a text means a report that cannot be read. */
  lease(node: string, report: Partial<NodeReport> | string, age?: number): Promise<void>
  status(...args: string[]): Promise<BootstrapperRun>
}

async function withOperator(test: (operator: Operator) => Promise<void>): Promise<void> {
  await withFolder((folder) =>
    withKube((kube) =>
      withRepo(async (repo) => {
        const settings = {
          version: 1,
          sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
          clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
          mirrors: join(folder, "mirrors"),
        }
        const config = join(folder, "headrace.yaml")
        await writeFile(config, JSON.stringify(settings))
        const writer = inProcessClient(kube.store)
        await test({
          repo,
          status: (...args) => runBootstrapper(["status", "--config", config, ...args]),
          lease: (node, report, age = 0) => leaseOf(kube, node, report, age),
          async show(commit, seq, epoch = 0, failed = []) {
            const before = await writer.get("headrace", "release")
            const last = before && readRecord(before)
            const { root = null, commit: was = null, token } = last ?? {}
            const shown = root && was && token ? [{ commit: was, token, root }] : []
            const history = [...shown, ...(last?.history ?? [])]
            const targets = { "ci/jobs": { x: `${epoch}.${seq}` } }
            await writeRevision(writer, { seq, epoch, targets, record: { commit, history, failed } })
          },
        })
      }),
    ),
  )
}

function leaseOf(kube: TestKube, node: string, report: Partial<NodeReport> | string, age: number) {
  const whole = { format: 1, node, record: "headrace/release", projections: [], more: 0, lowest: null }
  return postReport(
    kube,
    node,
    typeof report === "string" ? report : JSON.stringify({ ...whole, ...report }),
    age,
  )
}

function shows(revision: string | null, token: Token | null, message?: string): Partial<NodeReport> {
  const since = "2026-01-01T00:00:00.000Z"
  const problem = message === undefined ? null : { code: "projection/waits", message, since }
  return { lowest: token, projections: [{ name: "jobs", path: "/jobs", revision, token, since, problem }] }
}

it("counts the nodes that show what the record shows, and names the others with their reason", {
  timeout: 180_000,
}, async () => {
  await withOperator(async ({ repo, show, lease, status }) => {
    const first = await repo.commit({ a: "1" })
    await show(first, 1)
    const second = await repo.commit({ a: "2" })
    await show(second, 2)
    await lease("node-1", shows(second, { epoch: 0, seq: 2 }))
    await lease("node-7", shows(first, { epoch: 0, seq: 1 }, "waits for ConfigMap ci/x: shard missing"))
    await lease("node-8", "from a later version")
    await lease("node-9", shows(second, { epoch: 0, seq: 2 }), 3600)
    await lease("node-10", shows(second, { epoch: 0, seq: 2 }), 8 * 86_400)
    await lease("elsewhere", { record: "headrace/other" })
    await lease("git-only", { ...shows(null, null, "the branch lost its files"), record: null })

    const text = await status()
    expect(text.stdout).toMatch(/^✗ release in east .* live on 1\/4 nodes/m)
    const flat = text.stdout.replace(/\s+/g, " ")
    expect(flat).toContain(`node-7 shows ${first.slice(0, 12)} since 2026-01-01T00:00:00Z (`)
    expect(flat).toContain("ago): waits for ConfigMap ci/x: shard missing [projection/waits]")
    expect(flat).toContain("→ headrace-bootstrapper explain node-7 ")
    expect(flat).toContain("git-only in east: jobs waits")
    expect(flat).toContain("→ headrace-bootstrapper explain git-only ")
    expect(flat).toContain("node-8 shows nothing: its report cannot be read")
    expect(flat).toMatch(/node-9: no report since 20\d\d-\S+ \(60 min ago\)/)
    expect(text.stdout.split("\n").every((line) => line.length <= 80)).toBe(true)
    expect(text.code).toBe(1)
    const [place] = JSON.parse((await status("-o", "json")).stdout).clusterSources
    expect(place.nodes).toMatchObject({
      live: 1,
      total: 3,
      behind: [
        { node: "node-7", shows: first, problem: "waits for ConfigMap ci/x: shard missing" },
        { node: "node-8", shows: null, problem: "its report cannot be read" },
      ],
      silent: [{ node: "node-9" }],
      gone: 1,
    })
    expect(place.nodes.silent).toHaveLength(1)
  })
})

it("counts no node as live that shows more than the record knows, and says what to do", {
  timeout: 180_000,
}, async () => {
  await withOperator(async ({ repo, show, lease, status }) => {
    const first = await repo.commit({ a: "1" })
    const second = await repo.commit({ a: "2" })
    await show(first, 1)
    await show(second, 2)
    await lease("node-1", shows(second, { epoch: 0, seq: 2 }))
    await lease("node-2", shows(first, { epoch: 7, seq: 1 }))
    await lease("node-3", shows(first, { epoch: 900_000_000_000_000, seq: 1 }))

    const [place] = JSON.parse((await status("-o", "json")).stdout).clusterSources
    expect(place.nodes).toMatchObject({ live: 1, total: 3 })
    const [near, far] = place.nodes.behind
    expect(near).toMatchObject({ node: "node-2", shows: first })
    expect(near.problem).toMatch(/7\.1.*put back; the next full reconcile begins an epoch beyond it$/)
    expect(far.problem).toMatch(/run rewind --to COMMIT --epoch 900000000000001$/)
    expect((await status("--commit", second)).code).toBe(1)
  })
})

it("says whether a commit is live: in the record, and on every node that reports", {
  timeout: 180_000,
}, async () => {
  await withOperator(async ({ repo, show, lease, status }) => {
    const first = await repo.commit({ a: "1" })
    const second = await repo.commit({ a: "2" })
    await show(first, 1)
    await show(second, 2)
    await lease("node-1", shows(first, { epoch: 0, seq: 1 }))
    await lease("node-9", shows(null, null), 3600)

    const withSilent = await status("--commit", first)
    expect(withSilent.code).toBe(1)
    expect(withSilent.stdout).toMatch(/not live: .*\n {2}live on 1\/2 nodes\n {2}node-9: no report since /)
    expect(await status("--commit", first, "--ignore-silent")).toMatchObject({ code: 0 })
    const waiting = await status("--commit", second, "--ignore-silent")
    expect(waiting.code).toBe(1)
    expect(waiting.stdout).toMatch(/not live: .*\n {2}live on 0\/2 nodes\n {2}node-1: shows /)

    const wait = ["--wait", "--time-limit", "30s", "--ignore-silent"]
    const awaited = status("--commit", second, ...wait, "-o", "json")
    await lease("node-1", shows(second, { epoch: 0, seq: 2 }))
    const answer = await awaited
    expect([answer.code, JSON.parse(answer.stdout)]).toMatchObject([
      0,
      [{ live: true, recorded: true, nodes: { live: 1, total: 1, silent: [{ node: "node-9" }] } }],
    ])

    await show(first, 1, 1)
    await lease("node-1", shows(first, { epoch: 1, seq: 1 }))
    expect((await status("--commit", second)).stdout).toContain("not live: ")
    expect(await status("--commit", first, "--ignore-silent")).toMatchObject({ code: 0 })
    const never = await status("--commit", "a".repeat(40), "--wait", "--time-limit", "10ms")
    expect(never.code).toBe(1)
    expect((await status("--commit", "abc")).code).toBe(2)
    expect((await status("--wait")).code).toBe(2)
  })
})

it.each([
  { what: "the only node is silent", node: 3600, failed: false, why: "node-1: no report since" },
  { what: "no node reports", node: undefined, failed: false, why: "no node reports" },
  { what: "a target failed", node: 0, failed: true, why: "ci/bad failed: kube/forbidden: no" },
])("calls no commit live while $what", async ({ node, failed, why }) => {
  await withOperator(async ({ repo, show, lease, status }) => {
    const commit = await repo.commit({ a: "1" })
    const reason = "kube/forbidden: no"
    await show(commit, 1, 0, failed ? [{ target: "ci/bad", reason, since: "2026-01-01T00:00:00Z" }] : [])
    if (node !== undefined) await lease("node-1", shows(commit, { epoch: 0, seq: 1 }), node)
    const { code, stdout } = await status("--commit", commit.slice(0, 7), "--wait", "--time-limit", "2s")
    expect([code, stdout]).toEqual([1, expect.stringContaining("not live: ")])
    expect(stdout).toContain(why)
  })
})

it("says whether a pull request is live, by the subject of the commit that merged it, and waits for the merge", {
  timeout: 180_000,
}, async () => {
  await withOperator(async ({ repo, show, lease, status }) => {
    const merged = await repo.commit({ a: "1" }, "Merge pull request #12 from org/topic")
    await show(merged, 2)
    await lease("node-1", shows(merged, { epoch: 0, seq: 2 }))
    const live = await status("--pr", "12")
    expect([live.code, live.stdout]).toEqual([
      0,
      expect.stringContaining(`live: #12, ${merged.slice(0, 12)} is in`),
    ])
    const unmerged = await status("--pr", "13")
    expect(unmerged.code).toBe(1)
    expect(unmerged.stdout).toContain("not live: no commit of the branch says that it merged #13")

    const awaited = status("--pr", "13", "--wait", "--time-limit", "30s", "-o", "json")
    const squashed = await repo.commit({ a: "2" }, "Fix it (#13)")
    await show(squashed, 3)
    await lease("node-1", shows(squashed, { epoch: 0, seq: 3 }))
    const answer = await awaited
    expect([answer.code, JSON.parse(answer.stdout)]).toMatchObject([
      0,
      [{ pullRequest: 13, commit: squashed, live: true }],
    ])
    expect((await status("--pr", "0")).code).toBe(2)
    expect((await status("--pr", "12", "--commit", merged)).code).toBe(2)
  })
})
