import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { CommitVerdict } from "@headrace/shared/status/judge-commit"
import { describe, expect, it } from "vitest"
import type { DeliveryOutcome } from "../deliveries/answer-deliveries.ts"
import { commentText } from "./comment-text.ts"
import type { MergeReport } from "./merge-report.ts"
import { commitStatus } from "./set-status.ts"

const WRITTEN: DeliveryOutcome = { state: "written", at: 1, failed: [], error: null }

function touched(cluster: string, name: string, keys: Record<string, string | null>): TouchedTarget {
  const planned = Object.entries(keys).map(([key, path]) => {
    const file = path === null ? undefined : { path, oid: "0", size: 1, executable: false }
    return [key, file && { key, file, gzip: false }] as const
  })
  return { target: { cluster, namespace: "ci", name }, keys: new Map(planned) }
}

function report(
  targets: TouchedTarget[],
  outcomes: Record<string, DeliveryOutcome>,
  verdicts: MergeReport["parts"][number]["verdicts"] = new Map(),
): MergeReport {
  return {
    repo: "openshift/release",
    pull: 7,
    sha: "a".repeat(40),
    parts: [{ touched: targets, outcomes: new Map(Object.entries(outcomes)), verdicts }],
  }
}

function verdict(
  live: number,
  total: number,
  more: Partial<NonNullable<CommitVerdict["nodes"]>> = {},
): CommitVerdict {
  const nodes = { live, total, behind: [], silent: [], gone: 0, ...more }
  const isLive = live === total && nodes.silent.length === 0
  return {
    shows: null,
    recorded: true,
    nodes,
    live: isLive,
    failed: [],
    reasons: isLive ? [] : ["node-1: shows"],
  }
}

describe("commentText", () => {
  it("words one updated ConfigMap as Prow does", () => {
    const text = commentText(
      report([touched("app.ci", "config", { "config.yaml": "core/_config.yaml" })], { "app.ci": WRITTEN }),
    )
    expect(text).toBe(
      "Updated the `config` configmap in namespace `ci` at cluster `app.ci` using the following files:\n" +
        " - key `config.yaml` using file `core/_config.yaml`\n\n<!-- headrace: openshift/release#7 -->",
    )
  })

  it("words several as Prow does, and names a key that went away", () => {
    const targets = [
      touched("app.ci", "a", { one: "x/one", two: null }),
      touched("build01", "a", { one: "x/one", two: null }),
    ]
    expect(commentText(report(targets, { "app.ci": WRITTEN, build01: WRITTEN }))).toContain(
      "Updated the following 2 configmaps:\n" +
        " * `a` configmap in namespace `ci` at cluster `app.ci` using the following files:\n" +
        "   - key `one` using file `x/one`\n" +
        "   - key `two` removed\n" +
        " * `a` configmap in namespace `ci` at cluster `build01` using the following files:\n",
    )
  })

  it("names every failure with its reason, and who is still to come", () => {
    const targets = [
      touched("app.ci", "a", { one: "x/one" }),
      touched("app.ci", "big", { one: "x/one" }),
      touched("build01", "a", { one: "x/one" }),
      touched("build02", "a", { one: "x/one" }),
    ]
    const text = commentText(
      report(targets, {
        "app.ci": { ...WRITTEN, failed: [{ target: "ci/big", reason: "more than 1 MiB\n@everyone" }] },
        build01: {
          state: "stopped",
          at: 1,
          failed: [],
          error: { code: "guard/tripped", message: "held back" },
        },
      }),
    )
    expect(text).toContain("Updated the `a` configmap in namespace `ci` at cluster `app.ci`")
    expect(text).toContain(
      "`big` configmap in namespace `ci` at cluster `app.ci`: `more than 1 MiB @everyone`",
    )
    expect(text).toContain("`a` configmap in namespace `ci` at cluster `build01`: `guard/tripped: held back`")
    expect(text).toContain("Still to come: cluster `build02`.")
  })

  it("says nothing while no cluster has answered", () => {
    expect(commentText(report([touched("app.ci", "a", { one: "x/one" })], {}))).toBeUndefined()
  })

  it("stays within what GitHub takes", () => {
    const targets = Array.from({ length: 5000 }, (_, number) =>
      touched("app.ci", `name-${number}`, { key: "path" }),
    )
    const text = commentText(report(targets, { "app.ci": WRITTEN })) ?? ""
    expect(text.length).toBeLessThan(65_536)
    expect(text).toMatch(/ \* and \d+ more/)
  })

  it("stays within what GitHub takes when one ConfigMap has thousands of keys, alone and among others", () => {
    const keys = Object.fromEntries(
      Array.from({ length: 3000 }, (_, at) => [`key-${at}.yaml`, `jobs/${at}.yaml`]),
    )
    const alone = commentText(report([touched("app.ci", "a", keys)], { "app.ci": WRITTEN })) ?? ""
    expect(alone.length).toBeLessThan(65_536)
    expect(alone).toMatch(/\n - and \d+ more\n/)

    const among = [touched("app.ci", "a", keys), touched("app.ci", "b", { one: "x/one" })]
    const text = commentText(report(among, { "app.ci": WRITTEN })) ?? ""
    expect(text.length).toBeLessThan(65_536)
    expect(text).toContain("* `b` configmap")
  })
})

describe("commitStatus", () => {
  it("counts clusters, and distinguishes failed from pending", () => {
    const targets = ["a", "b", "c"].map((cluster) => touched(cluster, "x", { k: "f" }))
    expect(commitStatus(report(targets, { a: WRITTEN }))).toEqual({
      state: "pending",
      description: "written to 1/3 clusters",
    })
    expect(commitStatus(report(targets, { a: WRITTEN, b: WRITTEN, c: WRITTEN }))).toEqual({
      state: "pending",
      description: "written to 3/3 clusters",
    })
    const failed = { ...WRITTEN, state: "failed" } as const
    expect(commitStatus(report(targets, { a: WRITTEN, b: failed })).state).toBe("failure")
  })

  it("succeeds when every node of every cluster shows it, and not before", () => {
    const targets = ["a", "b"].map((cluster) => touched(cluster, "x", { k: "f" }))
    const outcomes = { a: WRITTEN, b: WRITTEN }
    const status = (a: CommitVerdict, b: CommitVerdict) =>
      commitStatus(report(targets, outcomes, new Map(Object.entries({ a, b }))))
    expect(status(verdict(10, 10), verdict(9, 10))).toEqual({
      state: "pending",
      description: "live on 19/20 nodes",
    })
    expect(status(verdict(10, 10), verdict(10, 10))).toEqual({
      state: "success",
      description: "live on 20/20 nodes",
    })
    const silent = verdict(9, 9, { silent: [{ node: "n", since: null, shows: null }] })
    expect(status(verdict(10, 10), silent)).toEqual({
      state: "pending",
      description: "live on 19/20 nodes",
    })
    const failing = { ...verdict(10, 10), live: false, failed: ["ci/x failed: too large"] }
    expect(status(verdict(10, 10), failing).state).toBe("failure")
  })

  it("names the file, the line and the rule that a gate refused, and so does the comment", () => {
    const message = "jobs/a.yaml:3:5: not valid YAML (gate parse: yaml, of jobs/*)"
    const stopped = { ...WRITTEN, state: "stopped", error: { code: "gate/not-parsed", message } } as const
    const refused = report([touched("a", "x", { k: "f" })], { a: stopped })
    expect(commitStatus(refused)).toEqual({ state: "failure", description: `gate/not-parsed: ${message}` })
    expect(commentText(refused)).toContain(`gate/not-parsed: ${message}`)
    const long = { ...stopped, error: { ...stopped.error, message: "x".repeat(500) } }
    expect(commitStatus(report([touched("a", "x", { k: "f" })], { a: long })).description).toHaveLength(140)
  })

  it("believes the record that a target was written after its outcome said that it failed", () => {
    const targets = [touched("a", "x", { k: "f" })]
    const failed = { ...WRITTEN, failed: [{ target: "ci/x", reason: "kube/forbidden: no" }] }
    const now = new Map([["a", verdict(3, 3)]])
    expect(commitStatus(report(targets, { a: failed }, now))).toEqual({
      state: "success",
      description: "live on 3/3 nodes",
    })
  })
})
