import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { createReplyMeter } from "./reply-meter.ts"

/** A reply, and how many bytes it has. */
const reply = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom("+OK\r\n", ":1\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "_\r\n", "-ERR no\r\n"),
    fc.string({ maxLength: 40 }).map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`),
    fc.array(tie("any"), { minLength: 1, maxLength: 4 }).map((all) => `*${all.length}\r\n${all.join("")}`),
    fc
      .array(tie("any"), { minLength: 1, maxLength: 2 })
      .map((all) => `%${all.length}\r\n${[...all, ...all].join("")}`),
  ),
})).any

function pushAll(meter: ReturnType<typeof createReplyMeter>, bytes: Buffer, step: number): boolean {
  for (let at = 0; at < bytes.length; at += step) if (!meter.push(bytes.subarray(at, at + step))) return false
  return true
}

describe("createReplyMeter", () => {
  it("lets any number of replies pass that are each within the bound, however they are cut", () => {
    const cut = fc.integer({ min: 1, max: 50 })
    fc.assert(
      fc.property(fc.array(reply, { minLength: 1, maxLength: 8 }), cut, (replies, step) => {
        const sizes = replies.map((text) => Buffer.byteLength(text))
        const bytes = Buffer.from(replies.join(""))
        expect(pushAll(createReplyMeter(Math.max(...sizes)), bytes, step)).toBe(true)
        expect(pushAll(createReplyMeter(Math.max(...sizes) - 1), bytes, step)).toBe(false)
      }),
    )
  })

  it.each([
    ["a bulk string that announces more", "$1001\r\n"],
    ["an array that announces more", "*1000000000\r\n"],
    ["elements without end", `*250\r\n${"$10\r\n0123456789\r\n".repeat(100)}`],
    ["arrays in arrays", "*1\r\n".repeat(70)],
    ["a line without end", `+${"x".repeat(1001)}`],
  ])("refuses %s", (_, text) => {
    const meter = createReplyMeter(1000)
    expect(meter.push(Buffer.from(text))).toBe(false)
    expect(meter.push(Buffer.from("+OK\r\n"))).toBe(false)
  })
})
