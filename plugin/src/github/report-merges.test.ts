import { fakeComment } from "@headrace/test/harness/fake-github"
import { until } from "@headrace/test/harness/until"
import {
  APPLIED,
  CLUSTERS,
  comments,
  PULL,
  SHA,
  withMergeReports,
} from "@headrace/test/harness/with-merge-reports"
import { describe, expect, it } from "vitest"

describe("reportMerges", () => {
  it("posts one comment, edits it as clusters come in, and sets the status", () =>
    withMergeReports(async ({ github, merge, answer }) => {
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
      expect(comments(github)[0]?.body).toContain("at cluster `build01`: `x/y: no way in`")

      await answer("build01", APPLIED, 1)
      await answer("build02")
      await until(() => github.statuses.at(-1)?.includes("success") === true)
      expect(comments(github)).toHaveLength(1)
      expect(comments(github)[0]?.body).toContain("Updated the following 3 configmaps:")
      expect(comments(github)[0]?.body).not.toMatch(/Still to come|Not updated/)
      expect(github.statuses).toContain(`${SHA} headrace failure: written to 1/3 clusters, live on 1/3 nodes`)
      expect(github.statuses.at(-1)).toBe(`${SHA} headrace success: live on 3/3 nodes`)
    }))

  it("calls a merge that a rollout returned from a failure, with its reason, also where it was live", () =>
    withMergeReports(async ({ github, heldNodes, returned, merge, answer }) => {
      heldNodes.add("build02")
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      const said = (cluster: string) =>
        github.deployments.find(({ environment }) => environment === cluster)?.statuses.at(-1)
      await until(() => said("app.ci") === "success: live on 1/1 nodes")
      for (const cluster of CLUSTERS) returned.add(cluster)
      for (const cluster of CLUSTERS)
        await until(() => said(cluster)?.startsWith("failure: tried by stages and taken back") === true)
      await until(() => comments(github)[0]?.body.includes("answered 500") === true)
      const { body = "" } = comments(github)[0] ?? {}
      expect(body).toContain("Not updated, and holding the last good content:")
      expect(body).toContain("[rollout/node-failed]; fix it and merge again")
      expect(body).not.toContain("Updated the")
      await until(() => github.statuses.at(-1)?.includes("failure") === true)
    }))

  it("gives each cluster a deployment that succeeds when its nodes show the merge, and says no success at written", () =>
    withMergeReports(async ({ github, nodes, heldNodes, merge, answer }) => {
      heldNodes.add("build02")
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      const said = (cluster: string) =>
        github.deployments
          .filter(({ environment }) => environment === cluster)
          .map(({ statuses }) => statuses)
      await until(
        () => said("build02")[0]?.length === 1 && said("app.ci")[0]?.at(-1)?.startsWith("success") === true,
      )
      expect(said("build02")).toEqual([["in_progress: on its way to the nodes"]])
      expect(github.statuses.some((one) => one.includes("success"))).toBe(false)

      nodes.set("build02", true)
      await until(() => github.statuses.at(-1)?.includes("success") === true)
      await until(() => said("build02")[0]?.at(-1) === "success: live on 1/1 nodes")
      expect(said("app.ci")).toEqual([["success: live on 1/1 nodes"]])
      expect(github.deployments).toHaveLength(3)
    }))

  it("continues with what was not live when every plugin was restarted, and makes no second deployment", () =>
    withMergeReports(async ({ github, lanes, nodes, heldNodes, reports, merge, answer, another }) => {
      for (const cluster of CLUSTERS) heldNodes.add(cluster)
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.deployments.filter(({ statuses }) => statuses.length > 0).length === 3)
      await Promise.all(reports.map((one) => one.close()))
      for (const cluster of CLUSTERS) nodes.set(cluster, true)
      // Redis lost what was said, and still has which merges are open.
      for (const cluster of CLUSTERS)
        await lanes.redis.hdel(lanes.key("merge", PULL), `deployment/${cluster}`)
      another()
      await until(() => github.statuses.at(-1)?.includes("success: live on 3/3 nodes") === true)
      await until(() => github.deployments.every(({ statuses }) => statuses.at(-1)?.startsWith("success")))
      expect(github.deployments).toHaveLength(3)
    }))

  it("says what it can with credentials that may make no deployments", () =>
    withMergeReports(async ({ github, merge, answer }) => {
      github.fault = ({ method, path }) =>
        method === "POST" && path.endsWith("/deployments")
          ? { refuse: 403, message: "Resource not accessible by integration" }
          : undefined
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("success: live on 3/3 nodes") === true)
      expect(comments(github)).toHaveLength(1)
      expect(github.deployments).toEqual([])
    }))

  it("posts one comment though both plugins are notified at the same time, of two deliveries of one merge", () =>
    withMergeReports(async ({ github, merge, answer }) => {
      await merge(7, "from-github")
      await merge(7, "from-prow")
      await Promise.all(
        CLUSTERS.flatMap((cluster) => [answer(cluster, APPLIED, 0), answer(cluster, APPLIED, 1)]),
      )
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
    }))

  it("posts one comment though the answer to posting it was lost", () =>
    withMergeReports(async ({ github, merge, answer }) => {
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
    withMergeReports(async ({ github, lanes, merge, answer }) => {
      await merge(7)
      await answer("app.ci")
      await until(() => github.statuses.length === 1)
      await lanes.redis.flushall()
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      // All nodes may show it before the plugin hears of the last cluster: the comment is edited once more then.
      await until(() => comments(github)[0]?.body.includes("following 3 configmaps") === true)
      expect(comments(github)).toHaveLength(1)
    }))

  it.each([
    ["a server error", { refuse: 502 }],
    ["a secondary rate limit", { refuse: 403, headers: { "retry-after": "1" } }],
    [
      "a used-up rate limit",
      { refuse: 429, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1" } },
    ],
  ])("tries again after %s", (_, fault) =>
    withMergeReports(async ({ github, merge, answer }) => {
      github.fault = ({ method, count }) => (method === "POST" && count === 1 ? fault : undefined)
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
    }),
  )

  it("says nothing about a merge that touches no ConfigMap", () =>
    withMergeReports(async ({ github, reports, merge, answer }) => {
      github.files = [{ filename: "README.md", status: "modified" }]
      await merge(7)
      await answer("app.ci")
      await until(() => github.requests.length > 0)
      await Promise.all(reports.map((one) => one.close()))
      expect(github.comments.size + github.statuses.length).toBe(0)
    }))

  it("finds its comment behind a page of others and a forged one, and leaves theirs alone", () =>
    withMergeReports(async ({ github, merge, answer }) => {
      const others = Array.from({ length: 130 }, (_, id) =>
        fakeComment(github, id, `comment ${id}`, "author"),
      )
      const marked = "old text\n\n<!-- headrace: openshift/release#7 -->"
      // The author of the pull request would like to write our comment himself.
      const forged = fakeComment(github, 998, marked, "author")
      github.comments.set(PULL, [...others, forged, fakeComment(github, 999, marked)])
      await merge(7)
      await answer("app.ci")
      await until(() => github.statuses.length === 1)
      expect(comments(github)).toHaveLength(132)
      expect(comments(github).at(-1)?.edits).toBe(1)
      expect(comments(github).filter(({ edits }) => edits > 0)).toHaveLength(1)
    }))

  it("asks GitHub nothing, for no merge, before the time is over that GitHub asked to wait", () =>
    withMergeReports(async ({ github, merge, answer }) => {
      github.fault = ({ path, count }) =>
        path.endsWith("/issues/7/comments") && count === 1
          ? {
              refuse: 403,
              headers: { "retry-after": "1" },
              message: "You have exceeded a secondary rate limit",
            }
          : undefined
      for (const pull of [7, 8, 9]) await merge(pull)
      for (const cluster of CLUSTERS) await answer(cluster)
      const counts = () => [7, 8, 9].map((pull) => comments(github, `openshift/release#${pull}`).length)
      await until(() => github.statuses.filter((one) => one.includes("3/3")).length === 3)
      expect(github.quietUntil).toBeGreaterThan(0)
      expect(counts()).toEqual([1, 1, 1])
    }))

  it("sets the status of a merge whose conversation is locked", () =>
    withMergeReports(async ({ github, merge, answer }) => {
      github.fault = ({ method, path }) =>
        method === "POST" && path.endsWith("/comments") ? { refuse: 403, message: "locked" } : undefined
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toEqual([])
    }))

  it("goes on when a plugin ends in the middle of a report and another one starts", () =>
    withMergeReports(async ({ github, reports, merge, answer, another }) => {
      let asked: () => void = () => undefined
      const inTheMiddle = new Promise<void>((resolve) => (asked = resolve))
      github.fault = ({ method, path, count }) => {
        if (method !== "POST" || !path.endsWith("/comments") || count > 1) return undefined
        asked()
        return "lose"
      }
      await merge(7)
      await answer("app.ci")
      await inTheMiddle
      await Promise.all(reports.map((one) => one.close()))
      const next = another()
      for (const cluster of CLUSTERS) await answer(cluster, APPLIED, next)
      await until(() => github.statuses.at(-1)?.includes("3/3") === true)
      expect(comments(github)).toHaveLength(1)
      expect(comments(github)[0]?.body).toContain("following 3 configmaps")
    }))
})
