import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { withFolder } from "@headrace/test/harness/with-folder"
import { afterEach, expect, it, vi } from "vitest"
import { runKeys } from "./run.ts"

const { signal } = new AbortController()

afterEach(() => {
  vi.restoreAllMocks()
})

function generate(file: string, expires?: string): Promise<number> {
  vi.spyOn(process.stdout, "write").mockReturnValue(true)
  const end = expires === undefined ? {} : { expires }
  return runKeys("generate", file, { output: "text", logLevel: "silent", ...end }, signal)
}

it("makes a pair for its owner alone, or nothing: no half of one, and none in the place of what is there", () =>
  withFolder(async (folder) => {
    const file = join(folder, "key")
    await writeFile(`${file}.pub`, "another's")
    await expect(generate(file)).rejects.toMatchObject({ code: "keys/not-written" })
    expect(await readdir(folder)).toEqual(["key.pub"])
    expect(await readFile(`${file}.pub`, "utf8")).toBe("another's")

    expect(await generate(join(folder, "next"))).toBe(0)
    expect((await stat(join(folder, "next"))).mode & 0o777).toBe(0o600)
    await expect(generate(join(folder, "next"))).rejects.toMatchObject({ code: "keys/not-written" })
    await expect(generate(folder)).rejects.toMatchObject({ code: "keys/not-written" })
    await expect(generate(join(folder, "none", "key"))).rejects.toMatchObject({ code: "keys/not-written" })
  }))

it("takes no day that is none, and none that is over, for the end of a key", () =>
  withFolder(async (folder) => {
    const file = join(folder, "key")
    for (const expires of ["2090-02-30", "2090-2-3", "tomorrow", "", "2090-01-01T25:00:00Z"])
      await expect(generate(file, expires)).rejects.toThrow(/is no date$/)
    await expect(generate(file, "2020-01-01")).rejects.toThrow("--expires 2020-01-01 is over")
    expect(await readdir(folder)).toEqual([])
    expect(await generate(file, "2090-02-28")).toBe(0)
    expect(await readFile(file, "utf8")).toContain("expires: 2090-02-28T00:00:00.000Z")
  }))
