import fc from "fast-check"
import { expect, it } from "vitest"
import { BatchParser, type FoundObject } from "./batch-parser.ts"

it("reads answers of any bytes, cut into chunks anywhere", () => {
  const answer = fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined })
  fc.assert(
    fc.property(fc.array(answer), fc.integer({ min: 1, max: 30 }), (contents, chunk) => {
      const oid = "a".repeat(40)
      const stream = Buffer.concat(
        contents.flatMap((content) =>
          content === undefined
            ? [Buffer.from(`${oid} missing\n`)]
            : [Buffer.from(`${oid} blob ${content.length}\n`), content, Buffer.from("\n")],
        ),
      )
      const found: (FoundObject | undefined)[] = []
      const parser = new BatchParser(true, (object) => found.push(object as FoundObject | undefined))
      for (let at = 0; at < stream.length; at += chunk) parser.push(stream.subarray(at, at + chunk))

      expect(found.map((object) => object?.content.toString("hex"))).toEqual(
        contents.map((content) => content && Buffer.from(content).toString("hex")),
      )
    }),
  )
})

it("refuses an answer that is no header", () => {
  const parser = new BatchParser(true, () => {})
  expect(() => parser.push(Buffer.from("fatal: what\n"))).toThrow("fatal: what")
})

it("drops a commit, tag or tree that would fill the memory as it comes in, and reads what follows", () => {
  const oid = "a".repeat(40)
  const chunk = Buffer.alloc(2 ** 20)
  for (const type of ["commit", "tag", "tree"]) {
    const found: unknown[] = []
    const parser = new BatchParser(true, (object) => found.push(object as FoundObject | undefined))
    parser.push(Buffer.from(`${oid} ${type} ${100 * chunk.length}\n`))
    const before = process.memoryUsage().arrayBuffers
    for (let sent = 0; sent < 100; sent++) parser.push(chunk)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10 * chunk.length)
    parser.push(Buffer.from(`\n${oid} blob 3\nabc\n`))
    expect(found).toMatchObject([
      {
        code: "git/object-too-large",
        message: expect.stringContaining(`${type} ${oid} has 104857600 bytes`),
      },
      { type: "blob", size: 3 },
    ])
  }
})

it("holds a large content once while it comes in", () => {
  const chunk = Buffer.alloc(2 ** 20)
  const size = 32 * chunk.length
  let more: number | undefined
  const before = process.memoryUsage().arrayBuffers
  const parser = new BatchParser(true, () => {
    more = process.memoryUsage().arrayBuffers - before
  })
  parser.push(Buffer.from(`${"a".repeat(40)} blob ${size}\n`))
  for (let sent = 0; sent < size; sent += chunk.length) parser.push(chunk)
  parser.push(Buffer.from("\n"))
  expect(more).toBeLessThan(size + 4 * chunk.length)
})
