import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFakeGitHub } from "@headrace/test/harness/fake-github"
import { newApp } from "@headrace/test/harness/fake-github-logins"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { appTokens } from "./app-tokens.ts"

it("gives a token by the key that its file holds now, and by the last one while there is no file", () =>
  withFakeGitHub((github) =>
    withFolder(async (folder) => {
      const first = newApp()
      const app = { ...first, privateKeyFile: join(folder, "app.pem") }
      github.logins.app = first
      await writeFile(app.privateKeyFile, first.privateKey)
      const tokens = appTokens(github.apiUrl)
      await tokens(app)

      const second = newApp()
      github.logins.app = second
      await writeFile(app.privateKeyFile, second.privateKey)
      const token = await tokens(app)
      await rm(app.privateKeyFile)

      expect(second.tokens.has(token)).toBe(true)
      expect(await tokens(app)).toBe(token)
      expect(github.complaints).toEqual([])
    }),
  ))

it("keeps a token while it is good, and gives one once the key can be read, though it could not at first", () =>
  withFakeGitHub((github) =>
    withFolder(async (folder) => {
      github.logins.app = newApp()
      const tokens = appTokens(`${github.apiUrl}/`)
      const { appId, installationId, privateKey } = github.logins.app
      const app = { appId, installationId, privateKeyFile: join(folder, "app.pem") }
      await expect(tokens(app)).rejects.toMatchObject({ code: "git/auth-failed" })
      await writeFile(app.privateKeyFile, privateKey)
      expect(await tokens(app)).toBe("ghs_of-the-tests-1")
      expect(await tokens(app)).toBe("ghs_of-the-tests-1")
      await expect(tokens({ ...app, installationId: 9 })).rejects.toMatchObject({
        code: "git/auth-failed",
        message: expect.stringContaining("GitHub App 123"),
      })
      expect(github.complaints).toEqual([])
    }),
  ))
