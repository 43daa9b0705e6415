import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import { describe, expect, it } from "vitest"
import { type FakeGitHub, withFakeGitHub } from "../../../test/harness/fake-github.ts"
import { until } from "../../../test/harness/until.ts"
import { withFolder } from "../../../test/harness/with-folder.ts"
import { withRedis } from "../../../test/harness/with-redis.ts"
import { answerDeliveries } from "../deliveries/answer-deliveries.ts"
import { openDeliveryBook } from "../deliveries/keep-deliveries.ts"
import { openWithToken } from "./open-github.ts"
import { type MergeReports, reportMerges } from "./report-merges.ts"

const log = createLog("test", { level: "silent" })
const CLUSTERS = ["app.ci", "build01", "build02"]
const SHA = "a".repeat(40)
const APPLIED: LaneResult = { result: "applied", commit: SHA, failed: [], error: null }

interface Scene {
  github: FakeGitHub
  lanes: Lanes
  /** Two plugins' reports, as they run side by side. */
  reports: MergeReports[]
  /** A delivery of merge `pull` arrives. */
  merge(pull: number, guid?: string): Promise<void>
  /** A cluster's lane came to this, worked by plugin 0 or 1. */
  answer(cluster: string, result?: LaneResult, plugin?: number): Promise<void>
}

function withScene(fn: (scene: Scene) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withRedis((redis) =>
      withFakeGitHub(async (github) => {
        const tokenFile = join(folder, "token")
        await writeFile(tokenFile, "of-the-tests\n")
        github.files = [{ filename: "config.yaml", status: "modified" }]
        const lanes = await openLanes({ redis: redis.url, log })
        const reports = [0, 1].map(() =>
          reportMerges({
            settings: { comment: true, status: true },
            github: openWithToken(tokenFile, `${github.apiUrl}/`),
            lanes,
            clusters: CLUSTERS,
            touched: async (_source, _merge, paths) => touchedBy(paths),
            pace: 20,
            gather: 20,
            backoff: 50,
            log,
          }),
        )
        try {
          await fn(scene(github, lanes, reports))
          expect(github.complaints).toEqual([])
        } finally {
          await Promise.all(reports.map((one) => one.close()))
          await lanes.close()
        }
      }),
    ),
  )
}

function scene(github: FakeGitHub, lanes: Lanes, reports: MergeReports[]): Scene {
  const book = openDeliveryBook(lanes)
  return {
    github,
    lanes,
    reports,
    async merge(pull, guid = `merge-${pull}`) {
      await book.note(
        { guid, event: "pull_request", repo: "openshift/release", branch: "main", sha: SHA, pull },
        ["release"],
        CLUSTERS,
      )
    },
    async answer(cluster, result = APPLIED, plugin = 0) {
      const contained = async (_: string, shas: readonly string[]) => new Set(shas)
      const guids = await answerDeliveries(lanes, cluster, "release", result, contained)
      await reports[plugin]?.tell(guids)
    },
  }
}

function touchedBy(paths: readonly string[]): TouchedTarget[] {
  if (!paths.includes("config.yaml")) return []
  const file = { path: "config.yaml", oid: "0", size: 1, executable: false }
  const keys = new Map([["config.yaml", { key: "config.yaml", file, gzip: false }]])
  return CLUSTERS.map((cluster) => ({ target: { cluster, namespace: "ci", name: "config" }, keys }))
}

const PULL = "openshift/release#7"

function comments(github: FakeGitHub, pull = PULL) {
  return github.comments.get(pull) ?? []
}

describe("reportMerges", () => {
  it("posts one comment, edits it as clusters come in, and sets the status", () =>
    withScene(async ({ github, merge, answer }) => {
      await merge(7)
      await answer("app.ci")
      await until(() => github.statuses.length === 1)
      expect(comments(github)[0]?.body).toContain("Still to come: clusters `build01`, `build02`.")

      await answer(
        "build01",
        { ...APPLIED, commit: null, result: "failed", error: { code: "x/y", message: "no way in" } },
        1,
      )
      await until(() => github.statuses.length === 2)
      expect(comments(github)[0]?.body).toContain("at cluster `build01`: `no way in`")

      await answer("build01", APPLIED, 1)
      await answer("build02")
      await until(() => github.statuses.at(-1)?.includes("success") === true)
      expect(comments(github)).toHaveLength(1)
      expect(comments(github)[0]?.body).toContain("Updated the following 3 configmaps:")
      expect(comments(github)[0]?.body).not.toMatch(/Still to come|Not updated/)
      expect(github.statuses).toContain(`${SHA} headrace failure: written to 1/3 clusters`)
      expect(github.statuses.at(-1)).toBe(`${SHA} headrace success: written to 3/3 clusters`)
    }))

  it("posts one comment though both plugins are told at once, of two deliveries of one merge", () =>
    withScene(async ({ github, merge, answer }) => {
      await merge(7, "from-github")
      await merge(7, "from-prow")
      await Promise.all(
        CLUSTERS.flatMap((cluster) => [answer(cluster, APPLIED, 0), answer(cluster, APPLIED, 1)]),
      )
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
    }))

  it("posts one comment though the answer to posting it was lost", () =>
    withScene(async ({ github, merge, answer }) => {
      github.fault = ({ method, path, count }) =>
        method === "POST" && path.endsWith("/comments") && count === 1 ? "lose" : undefined
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
      expect(
        github.requests.filter((one) => one === "POST /repos/openshift/release/issues/7/comments"),
      ).toHaveLength(1)
    }))

  it("posts one comment though Redis forgot that it did", () =>
    withScene(async ({ github, lanes, merge, answer }) => {
      await merge(7)
      await answer("app.ci")
      await until(() => github.statuses.length === 1)
      await lanes.redis.flushall()
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
      expect(comments(github)[0]?.body).toContain("following 3 configmaps")
    }))

  it.each([
    ["a server error", { refuse: 502 }],
    ["a secondary rate limit", { refuse: 403, headers: { "retry-after": "1" } }],
    [
      "a used-up rate limit",
      { refuse: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" } },
    ],
  ])("tries again after %s", (_, fault) =>
    withScene(async ({ github, merge, answer }) => {
      github.fault = ({ method, count }) => (method === "POST" && count === 1 ? fault : undefined)
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
    }),
  )

  it("says nothing about a merge that touches no ConfigMap", () =>
    withScene(async ({ github, reports, merge, answer }) => {
      github.files = [{ filename: "README.md", status: "modified" }]
      await merge(7)
      await answer("app.ci")
      await until(() => github.requests.length > 0)
      await Promise.all(reports.map((one) => one.close()))
      expect(github.comments.size + github.statuses.length).toBe(0)
    }))

  it("finds its comment behind a page of others, and leaves theirs alone", () =>
    withScene(async ({ github, merge, answer }) => {
      const others = Array.from({ length: 130 }, (_, id) => ({ id, body: `comment ${id}`, edits: 0 }))
      const marked = "old text\n\n<!-- headrace: openshift/release#7 -->"
      github.comments.set(PULL, [...others, { id: 999, body: marked, edits: 0 }])
      await merge(7)
      await answer("app.ci")
      await until(() => github.statuses.length === 1)
      expect(comments(github)).toHaveLength(131)
      expect(comments(github).at(-1)?.edits).toBe(1)
      expect(comments(github).filter(({ edits }) => edits > 0)).toHaveLength(1)
    }))
})
