import { buffer } from "node:stream/consumers"
import { pack } from "tar-stream"
import { describe, expect, it } from "vitest"
import { readTar, writeTar } from "./tar-archive.ts"

type Header = {
  name: string
  type?: "file" | "link" | "symlink" | "character-device" | "fifo" | "directory"
} & {
  linkname?: string
  mode?: number
  uid?: number
}

/** An archive by another hand. */
function foreign(header: Header): Promise<Buffer> {
  const archive = pack()
  if (header.type === undefined) archive.entry(header, "x")
  else archive.entry(header)
  archive.finalize()
  return buffer(archive)
}

describe("readTar", () => {
  const [entry] = [{ name: "files/0", executable: true, content: Buffer.from("content") }]

  it("reads what writeTar wrote", () => {
    expect(readTar(writeTar([entry, { ...entry, name: "b", content: Buffer.alloc(512) }]))).toHaveLength(2)
    expect(readTar(writeTar([]))).toEqual([])
  })

  it.each([
    ["a symbolic link", { name: "a", type: "symlink", linkname: "/etc/passwd" }, "bundle/link"],
    ["a hard link", { name: "a", type: "link", linkname: "b" }, "bundle/link"],
    ["a device", { name: "a", type: "character-device" }, "bundle/special-file"],
    ["a named pipe", { name: "a", type: "fifo" }, "bundle/special-file"],
    ["a folder", { name: "a", type: "directory" }, "bundle/special-file"],
    ["an absolute name", { name: "/etc/passwd" }, "bundle/unsafe-name"],
    ["a name that climbs", { name: "files/../../x" }, "bundle/unsafe-name"],
    ["an extension for a long name", { name: "n".repeat(300) }, "bundle/bad-header"],
    ["a set-uid mode", { name: "a", mode: 0o4755 }, "bundle/bad-header"],
    ["an owner", { name: "a", uid: 1000 }, "bundle/bad-header"],
  ] as [string, Header, string][])("refuses %s", async (_, header, code) => {
    const archive = await foreign(header)
    expect(() => readTar(archive)).toThrow(expect.objectContaining({ code }))
  })

  it("refuses a size beyond the archive, a second entry of a name, and what is cut short or goes on", () => {
    const whole = writeTar([entry])
    const bomb = Buffer.from(whole)
    bomb.write("77777777777", 124)
    const cases: [Buffer, string][] = [
      [bomb, "bundle/bad-header"],
      [writeTar([entry, entry]), "bundle/duplicate-name"],
      [whole.subarray(0, 600), "bundle/truncated"],
      [whole.subarray(0, -1), "bundle/truncated"],
      [Buffer.concat([whole, Buffer.alloc(512)]), "bundle/trailing-data"],
      [Buffer.alloc(0), "bundle/truncated"],
    ]
    for (const [archive, code] of cases)
      expect(() => readTar(archive)).toThrow(expect.objectContaining({ code }))
  })
})
