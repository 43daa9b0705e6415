import { aroundAll, describe, expect, it } from "vitest"
import { githubEvent } from "../harness/github-events.ts"
import { until } from "../harness/until.ts"
import { type MergeSite, withMergeSite } from "../harness/with-merge-site.ts"

const RULES = "config_updater: {maps: {'jobs/*.yaml': {name: jobs, clusters: {build01: [ci]}}}}\n"
const FILES = { "rules.yaml": RULES, "jobs/a.yaml": "a: 1\n", "jobs/b.yaml": "b: 1\n" }

/** A site whose plugin shows the first commit. */
function withStartedSite(fn: (site: MergeSite) => Promise<void>): Promise<void> {
  return withMergeSite(FILES, async (site) => {
    await site.start()
    await until(() => site.shown("jobs")["a.yaml"] === "a: 1\n")
    await fn(site)
  })
}

/** One for all that change nothing there. */
let quiet: MergeSite
aroundAll((runTests) =>
  withStartedSite(async (site) => {
    quiet = site
    await runTests()
  }),
)

const comments = ({ github }: MergeSite, number: number) =>
  (github.comments.get(`openshift/release#${number}`) ?? []).map(({ body }) => body)

/** A pull request that changed these files was merged as `sha`: GitHub sends a push and a pull_request, and lists files. */
async function tellOfMerge(
  site: MergeSite,
  number: number,
  sha: string,
  paths: readonly string[],
): Promise<void> {
  site.github.filesOf.set(
    `openshift/release#${number}`,
    paths.map((filename) => ({ filename, status: "modified" })),
  )
  const before = await site.repo.git("rev-parse", `${sha}^`)
  expect(await site.deliver("push", githubEvent.push({ sha, before }))).toMatchObject({ result: "accepted" })
  const merged = await site.deliver("pull_request", githubEvent.merged({ sha, number }))
  expect(merged).toMatchObject({ status: 202, result: "accepted", sources: ["release"] })
  await until(async () => (await merged.outcome()) === "written")
  await until(
    () => comments(site, number).length > 0 && site.github.statuses.some((one) => one.startsWith(sha)),
  )
}

const updated = (number: number, ...keys: string[]) =>
  `Updated the \`jobs\` configmap in namespace \`ci\` at cluster \`build01\` using the following files:${keys
    .map((key) => `\n - key \`${key}\` using file \`jobs/${key}\``)
    .join("")}\n\n<!-- headrace: openshift/release#${number} -->`

describe("a pull request", () => {
  it.each([
    ["by a merge commit", (site: MergeSite) => site.repo.merge({ "jobs/a.yaml": "a: 2\n" })],
    [
      "by squashing its commits",
      (site: MergeSite) => site.repo.squash({ "jobs/a.yaml": "a: x\n" }, { "jobs/a.yaml": "a: 2\n" }),
    ],
    [
      "by rebasing its commits",
      (site: MergeSite) =>
        site.repo.rebase(
          { "README.md": "meanwhile" },
          { "jobs/a.yaml": "a: x\n" },
          { "jobs/a.yaml": "a: 2\n" },
        ),
    ],
  ])("merged %s is written, commented on once and given a status", (_, merge) =>
    withStartedSite(async (site) => {
      const sha = await merge(site)
      await tellOfMerge(site, 7, sha, ["jobs/a.yaml"])
      expect(site.shown("jobs")).toEqual({ "a.yaml": "a: 2\n", "b.yaml": "b: 1\n" })
      expect(comments(site, 7)).toEqual([updated(7, "a.yaml")])
      // No node reports here: what is written is not live yet (docs/decisions/070).
      expect(site.github.statuses).toEqual([`${sha} headrace pending: written to 1/1 clusters`])
    }),
  )

  it("that reverts another brings the old content back", () =>
    withStartedSite(async (site) => {
      const sha = await site.repo.merge({ "jobs/a.yaml": "a: 2\n" })
      await tellOfMerge(site, 7, sha, ["jobs/a.yaml"])
      await site.repo.git("revert", "--no-edit", "-m", "1", sha)
      await tellOfMerge(site, 8, await site.repo.tip(), ["jobs/a.yaml"])
      expect(site.shown("jobs")["a.yaml"]).toBe("a: 1\n")
      expect(comments(site, 8)).toEqual([updated(8, "a.yaml")])
    }))

  it("merged by the merge queue, two at once, is commented on by itself; the queue's own branches count for nothing", () =>
    withStartedSite(async (site) => {
      const ref = "refs/heads/gh-readonly-queue/main/pr-8-0123456789abcdef0123456789abcdef01234567"
      const first = await site.repo.commit({ "jobs/a.yaml": "a: 2\n" }, "Merge pull request #7")
      const second = await site.repo.commit({ "jobs/b.yaml": "b: 2\n" }, "Merge pull request #8")
      const group = await site.deliver("merge_group", githubEvent.mergeGroup({ sha: second, ref }))
      const queued = await site.deliver("push", githubEvent.push({ sha: second, ref }))
      expect([group.result, queued.result]).toEqual(["ignored", "ignored"])

      for (const [number, sha, path] of [
        [7, first, "jobs/a.yaml"],
        [8, second, "jobs/b.yaml"],
      ] as const) {
        site.github.filesOf.set(`openshift/release#${number}`, [{ filename: path, status: "modified" }])
        const by = "github-merge-queue[bot]"
        await site.deliver("pull_request", githubEvent.merged({ sha, number, by }))
      }
      await site.deliver("push", githubEvent.push({ sha: second }))
      await until(() => comments(site, 7).length + comments(site, 8).length === 2)
      expect(site.shown("jobs")).toEqual({ "a.yaml": "a: 2\n", "b.yaml": "b: 2\n" })
      expect([comments(site, 7), comments(site, 8)]).toEqual([[updated(7, "a.yaml")], [updated(8, "b.yaml")]])
    }))

  it.each([
    ["closed and not merged", { merged: false }],
    ["opened", { action: "opened" as const }],
    ["pushed to", { action: "synchronize" as const }],
    ["merged into another branch", { base: "feature" }],
    ["merged with its commit not yet known", { sha: null }],
  ])("that was %s wakes nobody", async (_, fields) => {
    const ignored = 'headrace_webhook_deliveries_total{event="pull_request",result="ignored"}'
    const before = await quiet.metric(ignored)
    const sha = await quiet.repo.tip()
    const answer = await quiet.deliver("pull_request", githubEvent.merged({ sha, number: 7, ...fields }))
    expect(answer).toMatchObject({ status: 200, result: "ignored" })
    expect(answer.message).toMatch(/opened|not merged|synchronize|branch feature|commit is not known/)
    expect(await quiet.metric(ignored)).toBe(before + 1)
    expect(quiet.github.requests).toEqual([])
  })
})

describe("a push", () => {
  it("without a pull request is written and commented on nowhere", () =>
    withStartedSite(async (site) => {
      const sha = await site.repo.commit({ "jobs/a.yaml": "a: 2\n" })
      const push = await site.deliver("push", githubEvent.push({ sha }))
      await until(async () => (await push.outcome()) === "written")
      expect(site.shown("jobs")["a.yaml"]).toBe("a: 2\n")
      expect(site.github.requests).toEqual([])
    }))

  it("that rewrote the branch stops the source, and is followed where that is allowed", () =>
    withStartedSite(async (site) => {
      const before = await site.repo.tip()
      await site.repo.forcePush(await site.repo.git("rev-parse", "HEAD^"))
      const sha = await site.repo.commit({ ...FILES, "jobs/a.yaml": "a: rewritten\n" })
      const event = githubEvent.push({ sha, before, forced: true })
      const stopped = await site.deliver("push", event)
      await until(async () => (await stopped.outcome()) === "stopped git/diverged")
      expect(site.shown("jobs")["a.yaml"]).toBe("a: 1\n")

      await site.start({ allowForcePush: true })
      await until(async () => (await stopped.outcome()) === "written")
      expect(site.shown("jobs")["a.yaml"]).toBe("a: rewritten\n")
    }))
})

describe("a repository", () => {
  it("whose default branch was renamed is reported, and followed once the settings name it", () =>
    withStartedSite(async (site) => {
      const notice = await site.deliver("repository", githubEvent.defaultBranchRenamed("main", "trunk"))
      expect(notice.message).toContain("is now trunk: sources that follow main stay with it")
      await site.repo.git("branch", "-m", "main", "trunk")
      const sha = await site.repo.commit({ "jobs/a.yaml": "a: 2\n" })
      const push = githubEvent.push({ sha, ref: "trunk" })
      expect(await site.deliver("push", push)).toMatchObject({
        result: "ignored",
        message: "no source follows branch trunk",
      })

      await site.start({ branch: "trunk" })
      const again = await site.deliver("push", push)
      await until(async () => (await again.outcome()) === "written")
      expect(site.shown("jobs")["a.yaml"]).toBe("a: 2\n")
    }))

  it.each([
    ["renamed", githubEvent.renamed, "openshift/releases"],
    ["transferred", githubEvent.transferred, "okd/release"],
  ])("that was %s is reported, and counted as not configured until the settings name it", (_, event, repo) =>
    withStartedSite(async (site) => {
      const notice = await site.deliver("repository", event("openshift/release", repo))
      expect(notice.message).toContain(`is now ${repo}: change the source's url and repo`)
      const sha = await site.repo.commit({ "jobs/a.yaml": "a: 2\n" })
      const push = githubEvent.push({ sha, repo })
      expect(await site.deliver("push", push)).toMatchObject({ result: "unconfigured" })

      await site.start({ repo })
      const again = await site.deliver("push", push)
      await until(async () => (await again.outcome()) === "written")
      expect(site.shown("jobs")["a.yaml"]).toBe("a: 2\n")
    }),
  )

  it("that is not configured is counted and ignored, whatever happens in it", async () => {
    const sha = await quiet.repo.tip()
    const repo = "somebody/else"
    for (const [event, payload] of [
      ["push", githubEvent.push({ sha, repo })],
      ["pull_request", githubEvent.merged({ sha, number: 7, repo })],
      ["repository", githubEvent.renamed(repo, "somebody/new")],
    ] as const) {
      expect(await quiet.deliver(event, payload)).toMatchObject({ status: 200, result: "unconfigured" })
      expect(
        await quiet.metric(`headrace_webhook_deliveries_total{event="${event}",result="unconfigured"}`),
      ).toBe(1)
    }
    expect(quiet.github.requests).toEqual([])
  })

  it("with two sources on two branches wakes the one that the push is of", () =>
    withStartedSite(async (site) => {
      await site.repo.git("checkout", "--quiet", "-b", "release-4.1")
      const sha = await site.repo.commit({
        "rules.yaml": RULES.replace("name: jobs", "name: jobs-41"),
        "jobs/a.yaml": "a: 41\n",
      })
      const other = {
        url: site.repo.folder,
        branch: "release-4.1",
        rules: "rules.yaml",
        repo: "openshift/release",
        poll: "1h",
      }
      await site.start({}, { old: other })
      const push = await site.deliver("push", githubEvent.push({ sha, ref: "release-4.1" }))
      expect(push.sources).toEqual(["old"])
      await until(async () => (await push.outcome("old")) === "written")
      expect([site.shown("jobs")["a.yaml"], site.shown("jobs-41")["a.yaml"]]).toEqual(["a: 1\n", "a: 41\n"])
    }))

  it("with two sources on one branch gets one comment that names what each wrote, and what each could not", () =>
    withStartedSite(async (site) => {
      const more =
        "config_updater: {maps: {'jobs/*.yaml': {name: copy, clusters: {build01: [ci]}}, 'x/*': {name: jobs, clusters: {build01: [ci]}}}}\n"
      await site.repo.commit({ "more.yaml": more, "x/x.yaml": "x: 1\n" })
      const other = {
        url: site.repo.folder,
        branch: "main",
        rules: "more.yaml",
        repo: "openshift/release",
        poll: "1h",
      }
      await site.start({}, { copies: other })
      await until(() => site.shown("copy")["a.yaml"] === "a: 1\n")
      const sha = await site.repo.merge({ "jobs/a.yaml": "a: 2\n", "x/x.yaml": "x: 2\n" })
      site.github.files = ["jobs/a.yaml", "x/x.yaml"].map((filename) => ({ filename, status: "modified" }))
      const merged = await site.deliver("pull_request", githubEvent.merged({ sha, number: 7 }))
      expect(merged.sources).toEqual(["release", "copies"])
      await until(() => site.github.statuses.some((one) => one.endsWith("failure: written to 0/1 clusters")))
      await until(() => comments(site, 7)[0]?.includes("Updated the following 2 configmaps") === true)
      const [text = "", ...others] = comments(site, 7)
      expect(others).toEqual([])
      expect(text).toMatch(/\* `copy` configmap.*\n {3}- key `a.yaml` using file `jobs\/a.yaml`/)
      expect(text).toMatch(/Not updated.*\n \* `jobs` configmap.*belongs to source release/)
    }))
})

describe("a webhook", () => {
  it("that was just made is answered", async () => {
    expect(await quiet.deliver("ping", githubEvent.ping())).toMatchObject({ status: 200, result: "ping" })
  })

  it("that sends forms is answered with what to set", async () => {
    const push = githubEvent.push({ sha: await quiet.repo.tip() })
    expect(await quiet.deliver("push", push, { form: true })).toMatchObject({
      status: 415,
      result: "refused",
      message: expect.stringContaining(
        'set its "Content type" to application/json on GitHub (Settings, Webhooks)',
      ),
    })
  })
})
