import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { openCheckout } from "./open-checkout.ts"

describe("openCheckout", () => {
  it("is at HEAD, detached or not, with the same token as a mirror would have", () =>
    withRepo(async (repo) => {
      const first = await repo.commit({ a: "1", link: { link: "a" } })
      const second = await repo.merge({ a: "2" })
      const checkout = await openCheckout(repo.folder)
      expect(await checkout.fetch()).toEqual({ commit: second, seq: 4 })
      expect(String(await checkout.file(second, "link"))).toBe("2")

      await repo.git("checkout", "--quiet", "--detach", first)
      expect(await checkout.fetch()).toEqual({ commit: first, seq: 2 })
      expect(await checkout.contains(second, first)).toBe(true)
      await checkout.close()
    }))

  it("is clean for each of several lanes that look at the same time", () =>
    withRepo(async (repo) => {
      const tip = await repo.commit(
        Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`f${n}`, `${n}`])),
      )
      const checkout = await openCheckout(repo.folder)
      const lane = async () => {
        for (let look = 0; look < 12; look++) expect((await checkout.fetch()).commit).toBe(tip)
      }
      await Promise.all(Array.from({ length: 6 }, lane))
      await checkout.close()
    }))

  it.each([
    ["changed", "a"],
    ["new", "untracked/file"],
  ])("refuses a %s file, and names it", (_, path) =>
    withRepo(async (repo) => {
      await repo.commit({ a: "1" })
      await mkdir(join(repo.folder, "untracked"))
      await writeFile(join(repo.folder, path), "not committed")
      const checkout = await openCheckout(repo.folder)
      await expect(checkout.fetch()).rejects.toMatchObject({
        code: "git/dirty",
        message: expect.stringContaining(path),
      })
      await checkout.close()
    }),
  )

  it("refuses a shallow clone, and a folder that is no checkout", () =>
    withRepo(async (repo) => {
      await repo.commit({ a: "1" })
      const shallow = join(repo.scratch, "shallow")
      await repo.git("clone", "--quiet", "--depth=1", `file://${repo.folder}`, shallow)
      const checkout = await openCheckout(shallow)
      await expect(checkout.fetch()).rejects.toMatchObject({ code: "git/shallow" })
      await checkout.close()
      await expect(openCheckout(repo.scratch)).rejects.toMatchObject({ code: "git/not-a-checkout" })
    }))
})
