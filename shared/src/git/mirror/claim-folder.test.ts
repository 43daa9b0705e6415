import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { withFolder } from "../../../../test/harness/with-folder.ts"
import { claimFolder } from "./claim-folder.ts"

const AT_ONCE = 12

async function placesOf(folder: string): Promise<string[]> {
  const claims = await Promise.all(Array.from({ length: AT_ONCE }, () => claimFolder(folder, "m")))
  await Promise.all(claims.map((claim) => claim.release()))
  return claims.map(({ place }) => place)
}

describe("claimFolder", () => {
  it("gives programs that start at once a folder each", () =>
    withFolder(async (folder) => {
      expect(new Set(await placesOf(folder)).size).toBe(AT_ONCE)
    }))

  it("gives programs that find a dead one's folder at once a folder each", () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, "m.git.owner"), "half writ")
      const places = await placesOf(folder)
      expect(new Set(places).size).toBe(AT_ONCE)
      expect(places).toContain(join(folder, "m.git"))
    }))
})
