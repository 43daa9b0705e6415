import { join } from "node:path"
import { withRepo } from "@headrace/test/harness/with-repo"
import { afterEach, expect, it, vi } from "vitest"
import { ObjectReader } from "./object-reader.ts"
import { RepositoryReader } from "./repository-reader.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

it("asks for no size that a tree has given, and reads no blob that is too large all the same", () =>
  withRepo(async (repo) => {
    const commit = await repo.commit({ small: "content", large: "content of many bytes" })
    const reader = new RepositoryReader(join(repo.folder, ".git"), { bounds: { file: 10, files: 10 } })
    try {
      const [large, small] = (await reader.tree(commit)).files.map(({ oid }) => oid)
      const asked = vi.spyOn(ObjectReader.prototype, "read")
      expect(String(await reader.blobs([small ?? ""]))).toBe("content")
      expect(asked.mock.calls.map(([names]) => names)).toEqual([[small]])
      await expect(reader.blobs([small ?? "", large ?? ""])).rejects.toMatchObject({
        code: "git/file-too-large",
      })
    } finally {
      reader.close()
    }
  }))
