import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFakeGitHub } from "@headrace/test/harness/fake-github"
import { newApp } from "@headrace/test/harness/fake-github-logins"
import { until } from "@headrace/test/harness/until"
import { withFolder } from "@headrace/test/harness/with-folder"
import { CLUSTERS, comments, withMergeReports } from "@headrace/test/harness/with-merge-reports"
import { afterEach, describe, expect, it, vi } from "vitest"
import { logInToGitHub } from "./log-in.ts"

const HOUR_MS = 3_600_000

afterEach(() => {
  vi.restoreAllMocks()
})

describe("as a GitHub App", () => {
  it("logs in by the key that its file holds now", () =>
    withFakeGitHub((github) =>
      withFolder(async (folder) => {
        const [first, second] = [newApp(), newApp()]
        const githubApp = { ...first, privateKeyFile: join(folder, "app.pem") }
        const ask = async (app: typeof first) => {
          github.logins.app = app
          await writeFile(githubApp.privateKeyFile, app.privateKey)
          await login?.octokit.rest.issues.listComments({ owner: "a", repo: "b", issue_number: 7 })
          return app.tokens.size
        }
        await writeFile(githubApp.privateKeyFile, first.privateKey)
        const login = await logInToGitHub({ githubApp, apiUrl: github.apiUrl })

        expect([await ask(first), await ask(second)]).toEqual([1, 1])
        expect(github.complaints).toEqual([])
      }),
    ))

  it("reports with a token of its installation, and with another when that one has ended", () =>
    withMergeReports(
      async ({ github, merge, answer }) => {
        await merge(7)
        for (const cluster of CLUSTERS) await answer(cluster)
        await until(() => github.statuses.at(-1)?.includes("3/3") === true)
        // Nothing is on its way to GitHub any more when the clock jumps.
        await until(
          () =>
            github.deployments.length === CLUSTERS.length &&
            github.deployments.every(({ statuses }) => statuses.at(-1)?.startsWith("success")),
        )
        expect(comments(github)).toHaveLength(1)
        expect(github.logins.app?.tokens.size).toBe(1)

        const clock = Date.now
        vi.spyOn(Date, "now").mockImplementation(() => clock() + HOUR_MS)
        await merge(8)
        for (const cluster of CLUSTERS) await answer(cluster)
        await until(() => comments(github, "openshift/release#8").length === 1)
        expect(github.logins.app?.tokens.size).toBe(2)
      },
      { app: true },
    ))

  it("finds its own comment again, and not one that another bot or person wrote", () =>
    withMergeReports(
      async ({ github, lanes, merge, answer }) => {
        await merge(7)
        await answer("app.ci")
        await until(() => github.statuses.length === 1)
        const [mine] = comments(github)
        if (mine === undefined) throw new Error("it has commented")
        const forged = { ...mine, id: 1, edits: 0, performed_via_github_app: { id: 999 } }
        github.comments.set("openshift/release#7", [forged, mine])
        await lanes.redis.flushall()
        await merge(7)
        for (const cluster of CLUSTERS) await answer(cluster)
        await until(() => github.statuses.at(-1)?.includes("3/3") === true)
        expect(comments(github).map(({ edits }) => edits > 0)).toEqual([false, true])
      },
      { app: true },
    ))
})

describe("logInToGitHub", () => {
  it("does without credentials, and reports a token that cannot be read", async () => {
    const apiUrl = "http://127.0.0.1:1"
    expect(await logInToGitHub({ apiUrl })).toBeUndefined()
    await expect(logInToGitHub({ apiUrl, tokenFile: "/nowhere/token" })).rejects.toMatchObject({
      code: "github/credentials",
    })
  })
})
