import { deliveriesKey, deliveryKey } from "@headrace/shared/lanes/recent-deliveries"
import { fakeComment } from "@headrace/test/harness/fake-github"
import { until } from "@headrace/test/harness/until"
import {
  CLUSTERS,
  comments,
  type MergeScene,
  PULL,
  SHA,
  withMergeReports,
} from "@headrace/test/harness/with-merge-reports"
import { Queue } from "bullmq"
import { describe, expect, it } from "vitest"
import { openDeliveryBook } from "../deliveries/keep-deliveries.ts"

const OTHERS = "some/other#3"

/** What an attacker may do who can write into Redis, and nowhere else. */
function attacker({ lanes }: MergeScene) {
  const queue = new Queue("reports", { connection: lanes.redis, prefix: lanes.prefix })
  return {
    /** A delivery that no webhook brought, with the merge that it names and a job to report on it. */
    async forge(id: string, fields: { [field: string]: string } = {}): Promise<void> {
      const [repo = "", pull = ""] = id.split("#")
      const delivery = { format: "1", event: "pull_request", repo, branch: "main", sha: SHA, pull }
      await lanes.redis.hset(deliveryKey(lanes, "forged"), {
        ...delivery,
        sources: "release",
        arrived: "1",
        ...fields,
      })
      await lanes.redis.zadd(deliveriesKey(lanes), "1", "forged")
      await lanes.redis.hset(lanes.key("merge", id), { guid: "forged" })
      await lanes.redis.zadd(lanes.key("merges", "open"), String(Date.now()), id)
      await this.ask(id)
    },
    async ask(id: string): Promise<void> {
      await queue.add("job", { id })
    },
    async note(fields: { [field: string]: string }): Promise<void> {
      await lanes.redis.hset(lanes.key("merge", PULL), fields)
    },
    close: () => queue.close(),
  }
}

/** Runs an attack beside a merge that is really reported; what was really said must come of it all the same. */
function withAttack(
  fn: (scene: MergeScene, by: ReturnType<typeof attacker>) => Promise<void>,
): Promise<void> {
  return withMergeReports(async (scene) => {
    const by = attacker(scene)
    try {
      await fn(scene, by)
    } finally {
      await by.close()
    }
  })
}

async function reportAll({ merge, answer, github }: MergeScene): Promise<void> {
  await merge(7)
  for (const cluster of CLUSTERS) await answer(cluster)
  await until(() => github.statuses.at(-1) === `${SHA} headrace success: live on 3/3 nodes`)
}

/** Requests that change something on GitHub. */
function changes({ github }: MergeScene): string[] {
  return github.requests.filter((one) => !one.startsWith("GET "))
}

describe("somebody who may write into Redis", () => {
  it.each([
    [
      "a pull request that is not merged",
      PULL.replace("7", "9"),
      { merged: false, sha: SHA, branch: "main" },
    ],
    [
      "another commit than the merge's",
      PULL.replace("7", "9"),
      { merged: true, sha: "b".repeat(40), branch: "main" },
    ],
    ["a branch that no source follows", PULL.replace("7", "9"), { merged: true, sha: SHA, branch: "dev" }],
    ["a repository of no source", OTHERS, { merged: true, sha: SHA, branch: "main" }],
  ])("cannot have a report on %s", (_, id, pull) =>
    withAttack(async (scene, by) => {
      scene.github.pulls.set(id, pull)
      await by.forge(id)
      await until(() => scene.github.requests.some((one) => one.endsWith(`/pulls/${id.split("#")[1]}`)))
      await reportAll(scene)
      expect(scene.github.comments.get(id)).toBeUndefined()
      expect(
        changes(scene).filter((one) => !/issues\/7|issues\/comments|statuses|deployments/.test(one)),
      ).toEqual([])
      expect(scene.github.statuses.every((one) => one.startsWith(SHA))).toBe(true)
    }),
  )

  it("cannot keep a merge from being followed by thousands of names of others", () =>
    withAttack(async (scene) => {
      const { lanes } = scene
      const open = lanes.key("merges", "open")
      const name = `for i = 1, 1200 do redis.call("ZADD", KEYS[1], ARGV[1], ARGV[2] .. i) end`
      await lanes.redis.eval(name, 1, open, String(Date.now() + 1e12), "some/other#")
      await lanes.redis.eval(name, 1, open, String(Date.now()), "no name ")
      await lanes.redis.eval(name, 1, open, String(Date.now()), "some/more#")
      await reportAll(scene)
      await until(async () => (await lanes.redis.zcard(open)) === 0)
    }))

  it("cannot say that a cluster has written or refused a merge", () =>
    withAttack(async (scene, by) => {
      const written = JSON.stringify({ state: "written", at: 1, failed: [], error: null })
      const error = { code: "a/b", message: "@everyone run curl evil.example" }
      const failed = JSON.stringify({ state: "failed", at: 1, failed: [], error })
      const { lanes, merge, github } = scene
      await merge(7)
      await lanes.redis.hset(deliveryKey(lanes, "merge-7"), {
        "outcome/app.ci/release": written,
        "outcome/build01/release": failed,
        "seal/build01/release": "00".repeat(32),
      })
      await lanes.redis.hset(lanes.key("merge", PULL), { guid: "merge-7" })
      await by.ask(PULL)
      await until(() => github.statuses.length > 0)
      expect(comments(github)).toEqual([])
      expect(github.statuses).toEqual([`${SHA} headrace pending: written to 0/3 clusters, live on 0/3 nodes`])
      await reportAll(scene)
      expect(
        JSON.stringify([...github.comments.values(), github.statuses, github.deployments]),
      ).not.toContain("evil")
    }))

  it("cannot have another's comment edited by its id, nor a comment of ours on another pull request", () =>
    withAttack(async (scene, by) => {
      const { github } = scene
      const others = fakeComment(github, 4711, "by a person", "author")
      const ours = fakeComment(github, 4712, "of another merge\n\n<!-- headrace: openshift/release#8 -->")
      github.comments.set("openshift/release#8", [others, ours])
      for (const id of [others.id, ours.id]) {
        await by.note({ comment: String(id) })
        await reportAll(scene)
      }
      expect([others, ours].map(({ edits }) => edits)).toEqual([0, 0])
      expect(comments(github)).toHaveLength(1)
    }))

  it("cannot have a deployment of another get a status", () =>
    withAttack(async (scene, by) => {
      const { github } = scene
      const others = { ...fakeComment(github, 0, "", "author") }
      github.deployments.push({
        id: 9000,
        sha: "c".repeat(40),
        environment: "production",
        task: "deploy",
        creator: others.user,
        performed_via_github_app: null,
        statuses: ["in_progress: theirs"],
      })
      await by.note({ "deployment/app.ci": JSON.stringify({ id: 9000, said: "", count: 0 }) })
      await reportAll(scene)
      await until(() => github.deployments.filter(({ statuses }) => statuses.length > 0).length === 4)
      expect(github.deployments[0]?.statuses).toEqual(["in_progress: theirs"])
    }))

  it("cannot keep a status as it is by saying that the right one was said, or that enough was", () =>
    withAttack(async (scene, by) => {
      const { github, nodes, heldNodes, merge, answer } = scene
      for (const cluster of CLUSTERS) heldNodes.add(cluster)
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("live on 0/3 nodes") === true)
      await by.note({
        status: JSON.stringify({ said: "success: live on 3/3 nodes", at: Date.now(), count: 50 }),
        "deployment/app.ci": JSON.stringify({ id: 5000, said: "success: live on 1/1 nodes", count: 10 }),
      })
      for (const cluster of CLUSTERS) nodes.set(cluster, true)
      await until(() => github.statuses.at(-1) === `${SHA} headrace success: live on 3/3 nodes`)
      await until(() => github.deployments.every(({ statuses }) => statuses.at(-1)?.startsWith("success")))
      expect(github.deployments).toHaveLength(3)
    }))

  it.each([
    ["text that is no JSON", { status: "{", comment: "x", "deployment/app.ci": "[" }],
    ["other types", { status: "[1]", comment: "-1", "deployment/app.ci": '{"id":"5000"}' }],
    ["numbers out of every bound", { status: '{"said":"x","at":1e308,"count":-1}', comment: "1e21" }],
    [
      "a megabyte",
      { status: `{"said":"${"x".repeat(2_000_000)}"}`, "deployment/app.ci": "1".repeat(2_000_000) },
    ],
  ])("cannot keep reports back by notes that are %s", (_, fields) =>
    withAttack(async (scene, by) => {
      await by.note(fields)
      await scene.merge(7)
      await scene.lanes.redis.hset(deliveryKey(scene.lanes, "merge-7"), { "outcome/build02/release": "{" })
      for (const cluster of CLUSTERS) await scene.answer(cluster)
      await until(() => scene.github.statuses.at(-1) === `${SHA} headrace success: live on 3/3 nodes`)
      expect(comments(scene.github)).toHaveLength(1)
    }),
  )

  it("cannot keep other merges from being followed by one of a source that there is not", () =>
    withAttack(async (scene, by) => {
      const { github, nodes, heldNodes, merge, answer } = scene
      for (const cluster of CLUSTERS) heldNodes.add(cluster)
      await merge(7)
      for (const cluster of CLUSTERS) await answer(cluster)
      await until(() => github.statuses.at(-1)?.includes("live on 0/3 nodes") === true)
      github.pulls.set("openshift/release#9", { merged: false, sha: SHA, branch: "main" })
      await by.forge("openshift/release#9", { sources: "renamed" })
      for (const cluster of CLUSTERS) nodes.set(cluster, true)
      await until(() => github.statuses.at(-1)?.includes("success: live on 3/3 nodes") === true)
    }))

  it("cannot use up GitHub's rate limit by jobs for merges that are none", () =>
    withAttack(async (scene, by) => {
      const forged = Array.from({ length: 100 }, (_, index) => `openshift/release#${1000 + index}`)
      scene.github.mergedAs = undefined
      scene.github.pulls.set(PULL, { merged: true, sha: SHA, branch: "main" })
      await reportAll(scene)
      await Promise.all(forged.map((id) => by.forge(id)))
      for (const id of ["..", "x".repeat(10_000), "a/b#-1", "a/b/c#1", `${PULL} `]) await by.ask(id)
      const waiting = async () => (await scene.lanes.redis.llen(`${scene.lanes.prefix}:reports:wait`)) ?? 0
      await until(async () => (await waiting()) === 0)
      const asked = scene.github.requests.filter((one) => /pulls\/1\d{3}$/.test(one))
      // Each of the two plugins stops at 30.
      expect(asked.length).toBeLessThanOrEqual(60)
      expect(scene.github.comments.size).toBe(1)
    }))
})

it("a delivery that another program deleted is noted again when GitHub sends it again", () =>
  withMergeReports(async ({ lanes, merge, github, answer }) => {
    await merge(7)
    await lanes.redis.del(deliveryKey(lanes, "merge-7"))
    await openDeliveryBook(lanes).note(
      {
        guid: "merge-7",
        event: "pull_request",
        repo: "openshift/release",
        branch: "main",
        sha: SHA,
        pull: 7,
      },
      ["release"],
      CLUSTERS,
    )
    for (const cluster of CLUSTERS) await answer(cluster)
    await until(() => github.statuses.at(-1)?.includes("success") === true)
  }))
