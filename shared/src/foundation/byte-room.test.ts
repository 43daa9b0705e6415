import { describe, expect, it } from "vitest"
import { createByteRoom } from "./byte-room.ts"

/** Work that ends when a test ends it, and what is under way. */
function gates() {
  const open: string[] = []
  const ends = new Map<string, () => void>()
  return {
    open,
    work: (name: string) => () =>
      new Promise<void>((resolve) => {
        open.push(name)
        ends.set(name, () => {
          open.splice(open.indexOf(name), 1)
          resolve()
        })
      }),
    end: (name: string) => ends.get(name)?.(),
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

describe("createByteRoom", () => {
  it("lets in as many bytes as fit, first come, first served", async () => {
    const room = createByteRoom(10)
    const { open, work, end } = gates()
    const all = [4, 5, 3, 1].map((bytes, index) => room.within(bytes, undefined, work(String(index))))
    await settle()
    // The last would fit, and waits behind the one before it.
    expect(open).toEqual(["0", "1"])
    end("0")
    await settle()
    expect(open).toEqual(["1", "2", "3"])
    for (const name of ["1", "2", "3"]) end(name)
    await Promise.all(all)
  })

  it("gives what is larger than the room all of it", async () => {
    const room = createByteRoom(10)
    const { open, work, end } = gates()
    const small = room.within(1, undefined, work("small"))
    const large = room.within(1000, undefined, work("large"))
    await settle()
    expect(open).toEqual(["small"])
    end("small")
    await settle()
    expect(open).toEqual(["large"])
    end("large")
    await Promise.all([small, large])
  })

  it("frees what failed, and what gave up waiting", async () => {
    const room = createByteRoom(10)
    const { open, work, end } = gates()
    await expect(room.within(10, undefined, () => Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    )
    const first = room.within(10, undefined, work("first"))
    const stop = new AbortController()
    const second = room.within(10, stop.signal, work("second"))
    const third = room.within(10, undefined, work("third"))
    stop.abort(new Error("enough"))
    await expect(second).rejects.toThrow("enough")
    end("first")
    await settle()
    expect(open).toEqual(["third"])
    end("third")
    await Promise.all([first, third])
  })
})
