import fs from "node:fs"
import { join } from "node:path"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { lockFolder } from "./lock-folder.ts"

const OURSELVES = process.geteuid?.() ?? 0
const STRANGER = 65_533

function makeForAll(place: string): void {
  fs.mkdirSync(place)
  fs.chmodSync(place, 0o777)
}

describe("the folder of the locks", () => {
  it("is made for its owner alone", async () => {
    await withFolder(async (folder) => {
      const made = lockFolder(OURSELVES, join(folder, "locks"))
      expect(fs.statSync(made).mode & 0o777).toBe(0o700)
      expect(lockFolder(OURSELVES, made)).toBe(made)
    })
  })

  it.each([
    ["is a link", (place: string, folder: string) => fs.symlinkSync(folder, place)],
    ["is a file", (place: string) => fs.writeFileSync(place, "")],
    ["can be written by everybody", makeForAll],
  ])("is not trusted when what is there %s", async (_what, put) => {
    await withFolder(async (folder) => {
      put(join(folder, "locks"), folder)
      expect(() => lockFolder(OURSELVES, join(folder, "locks"))).toThrow("no private folder")
    })
  })

  it.skipIf(OURSELVES !== 0)(
    `is not trusted when it belongs to a stranger${whySkipped(notRoot())}`,
    async () => {
      await withFolder(async (folder) => {
        fs.mkdirSync(join(folder, "locks"), { mode: 0o700 })
        fs.chownSync(join(folder, "locks"), STRANGER, STRANGER)
        expect(() => lockFolder(OURSELVES, join(folder, "locks"))).toThrow("no private folder")
      })
    },
  )
})
