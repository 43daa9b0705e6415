import { mkdtempSync, readdirSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { claimFolder } from "@headrace/shared/git/mirror/claim-folder"
import { it } from "vitest"

it("claim", async () => {
  const f = mkdtempSync(`${(await import("node:os")).tmpdir()}/claim-`)
  // the owner file as a live program in another container with the same host name wrote it a second ago
  writeFileSync(`${f}/release.git.owner`, JSON.stringify({ host: hostname(), pid: 1, started: "4711" }))
  const c = await claimFolder(f, "release")
  console.log("| claimed", c.place.split("/").pop(), readdirSync(f))
  await c.release()
})
