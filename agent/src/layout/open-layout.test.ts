import fs from "node:fs"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import type { Handle } from "../disk/disk.ts"
import { openNodeDisk } from "../disk/node-disk.ts"
import { openExistingLayout } from "./open-layout.ts"

it("keeps nothing open of a projection whose store cannot be opened", async () => {
  await withFolder((path) => {
    fs.mkdirSync(join(path, "..rev"))
    const disk = openNodeDisk()
    const open = new Set<Handle>()
    const counting = {
      ...disk,
      openDirectory: (name: string) => {
        if (name.endsWith("/..rev")) throw Object.assign(new Error("not permitted"), { code: "EACCES" })
        const handle = disk.openDirectory(name)
        open.add(handle)
        return handle
      },
      close: (handle: Handle) => {
        disk.close(handle)
        open.delete(handle)
      },
    }
    expect(() => openExistingLayout(counting, { path, durability: "none" })).toThrow("not permitted")
    expect(open.size).toBe(0)
  })
})
