import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { makeFolder } from "./make-folder.ts"

it("makes a folder with those above it, and accepts one that is there", () =>
  withFolder(async (top) => {
    const place = join(top, "a/b/c")
    await Promise.all([makeFolder(place), makeFolder(place), makeFolder(join(top, "a/x"))])
    await makeFolder(place)
    expect(existsSync(place)).toBe(true)
  }))

it("ends where none can be made", () =>
  withFolder(async (top) => {
    writeFileSync(join(top, "file"), "")
    await expect(makeFolder(join(top, "file"))).rejects.toMatchObject({ code: "EEXIST" })
    await expect(makeFolder(join(top, "file/below"))).rejects.toMatchObject({ code: "ENOTDIR" })
    if (existsSync("/proc/self"))
      await expect(makeFolder("/proc/x/y")).rejects.toMatchObject({ code: "ENOENT" })
  }))
