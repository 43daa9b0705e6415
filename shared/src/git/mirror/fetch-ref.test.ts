import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withMirror } from "@headrace/test/harness/with-mirror"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { createLog } from "../../observe/log.ts"
import { allowedProtocols } from "../git-login.ts"
import { openMirror } from "../open-mirror.ts"

const log = createLog("test", { level: "silent" })

/** A commit that git's check refuses: its author's line has no space before the time. */
async function commitMalformed(repo: TestRepo): Promise<void> {
  const tree = await repo.git("rev-parse", "HEAD^{tree}")
  const file = join(repo.scratch, "commit")
  await writeFile(file, `tree ${tree}\nauthor A <a@b>1 +0000\ncommitter A <a@b> 1 +0000\n\nold\n`)
  const commit = await repo.git("hash-object", "-t", "commit", "-w", "--literally", file)
  await repo.git("update-ref", "refs/heads/main", commit)
}

describe("a fetch", () => {
  it("refuses objects that git's own check refuses, and takes those of a fault that the operator accepts", () =>
    withMirror(async (mirror, repo) => {
      const before = await mirror.fetch()
      await commitMalformed(repo)
      await expect(mirror.fetch()).rejects.toMatchObject({
        code: "git/bad-object",
        message: expect.stringContaining("missingSpaceBeforeDate"),
      })
      expect(await mirror.contains(before.commit, before.commit)).toBe(true)
      const options = {
        name: "other",
        url: repo.folder,
        branch: "main",
        folder: join(repo.scratch, "o"),
        log,
      }
      const other = await openMirror({ ...options, fsckIgnore: ["missingSpaceBeforeDate"] })
      expect((await other.fetch()).seq).toBe(1)
      await other.close()
    }))

  it.each(["git://example.com/x.git", "http://example.com/x.git", "HTTP://example.com/x.git"])(
    "goes over %s by the operator's word alone",
    (url) =>
      withRepo(async (repo) => {
        const options = { name: "m", url, branch: "main", folder: join(repo.scratch, "mirrors"), log }
        await expect(openMirror(options)).rejects.toMatchObject({
          code: "git/plaintext-url",
          hint: expect.stringContaining("allowPlaintext"),
        })
        const mirror = await openMirror({ ...options, allowPlaintext: true })
        await mirror.close()
      }),
  )

  it("lets no redirect take it to a protocol that nothing protects", () => {
    expect(allowedProtocols("https://example.com/x")).toBe("file:https:ssh")
    expect(allowedProtocols("http://127.0.0.1:1/x")).toBe("file:https:ssh:http:git")
    expect(allowedProtocols("https://example.com/x", true)).toBe("file:https:ssh:http:git")
  })
})
