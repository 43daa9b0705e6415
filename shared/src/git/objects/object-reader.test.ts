import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { ObjectReader } from "./object-reader.ts"

/** Answers the first question of each process alone, as a git whose disk has stopped to answer. */
const STUCK_GIT = `#!/bin/sh
read name
echo "${"a".repeat(40)} commit 7"
exec sleep 60
`

it("restarts a git that answers no more, also after a time in which nothing was asked", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "git"), STUCK_GIT)
    await chmod(join(folder, "git"), 0o755)
    const path = process.env.PATH
    process.env.PATH = `${folder}:${path}`
    const reader = new ObjectReader(folder, "sizes", 200)
    try {
      for (const name of ["first", "second"])
        expect(await reader.read([name])).toEqual([expect.objectContaining({ type: "commit", size: 7 })])
    } finally {
      reader.close()
      process.env.PATH = path
    }
  }))
