import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFakeGitHub } from "@headrace/test/harness/fake-github"
import { newApp } from "@headrace/test/harness/fake-github-logins"
import { withGitServer } from "@headrace/test/harness/with-git-server"
import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"

it("fetches as a GitHub App, and says so when its key does not read", () =>
  withFakeGitHub((github) =>
    withOperator(({ repo, writeConfig, run, runJson }) =>
      withGitServer(repo.folder, async (server) => {
        github.logins.app = newApp()
        const { appId, installationId, privateKey } = github.logins.app
        const privateKeyFile = join(repo.scratch, "app.pem")
        const auth = { githubApp: { appId, installationId, privateKeyFile } }
        const rules = "config_updater:\n  maps:\n    a/*: {name: a, clusters: {east: [ci]}}\n"
        const commit = await repo.commit({ "rules.yaml": rules, "a/x": "1" })
        await writeConfig({
          sources: { release: { url: server.url, branch: "main", rules: "rules.yaml", auth } },
          github: { apiUrl: github.apiUrl },
        })
        server.token = "ghs_of-the-tests-1"

        expect(await run("apply", "--direct")).toMatchObject({
          code: 1,
          stdout: expect.stringContaining("app.pem cannot be read"),
        })
        await writeFile(privateKeyFile, privateKey)
        expect(await runJson("apply", "--direct")).toMatchObject({ code: 0, places: [{ commit }] })
        expect(github.complaints).toEqual([])
      }),
    ),
  ))
