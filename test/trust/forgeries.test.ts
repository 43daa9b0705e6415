import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { forgedNode } from "./forged-node.ts"
import { KINDS, MINUTE, START, seeded, written } from "./forger.ts"
import { makeKeys, unexpectedCodes, unexpectedOfFresh } from "./forgery-codes.ts"
import { attackFreshNodes, FRESH_MAX_AGE } from "./fresh-nodes.ts"
import { runForgeries } from "./run-forgeries.ts"

const COUNT = Number(process.env.HEADRACE_FORGERIES ?? 400)
const SEED = Number(process.env.HEADRACE_SEED ?? 16)
const LONG = COUNT > 400
const DAY = 1440 * MINUTE
const TIMEOUT = 300_000 + COUNT * 100
/** Each forgery that is shown takes a new node, which is ten times as slow: a few thousand say as much. */
const CONTROL = LONG ? 2000 : 60
/** Each is a new node. */
const FRESH = 100

describe("somebody who may write records, indexes and shards, and has no key", () => {
  it(
    `has a node that has trust show nothing by ${COUNT} forgeries, each refused by its code`,
    { timeout: TIMEOUT },
    () =>
      withFolder(async (folder) => {
        const { keys, files } = await makeKeys(join(folder, "keys"))
        const trust = { keys: files, clusters: ["east"], maxAge: 7 * DAY }
        const report = await runForgeries({ folder, count: COUNT, seed: SEED, keys, trust })
        if (LONG) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
        expect(report.shown).toBe(0)
        expect(Object.keys(report.refused).sort()).toEqual([...KINDS].sort())
        expect(unexpectedCodes(report)).toEqual([])
      }),
  )

  it("has a fresh node show nothing but a writer's revision within maxAge, each other one refused by its code", () =>
    withFolder(async (folder) => {
      const { keys, files } = await makeKeys(join(folder, "keys"))
      const trust = { keys: files, clusters: ["east"], maxAge: FRESH_MAX_AGE }
      const report = await attackFreshNodes({ folder, count: FRESH, keys, trust }, seeded(SEED))
      expect(report.shown).toBe(0)
      expect(unexpectedOfFresh(report)).toEqual([])
      expect(Object.keys(report.refused.replay ?? {}).sort()).toEqual(["recent", "trust/too-old"])
    }))

  it("has a node without trust show many: the control", { timeout: 300_000 + CONTROL * 300 }, () =>
    withFolder(async (folder) => {
      const { keys } = await makeKeys(join(folder, "keys"))
      const report = await runForgeries({ folder, count: CONTROL, seed: SEED, keys, trust: undefined })
      if (LONG) process.stdout.write(`control: ${report.shown} of ${CONTROL} were shown\n`)
      expect(report.shown).toBeGreaterThan(CONTROL / 10)
    }),
  )

  it("has a fresh node show nothing older than maxAge, and one with a disk its own record at any age", () =>
    withFolder(async (folder) => {
      const { keys, files } = await makeKeys(join(folder, "keys"))
      const trust = { keys: files, clusters: ["east"], maxAge: 7 * DAY }
      let now = START + 2 * MINUTE
      const old = forgedNode(folder, trust, () => now)
      expect(await old.look(written(keys.own, 5))).toBeUndefined()
      now += 300 * DAY
      expect(await old.look(written(keys.own, 5))).toBeUndefined()
      // Newer, though nobody has signed for long: no node with a disk depends on the control plane.
      expect(await old.look(written(keys.own, 6))).toBeUndefined()
      await old.close()
      // The same after a restart.
      const again = forgedNode(folder, trust, () => now)
      expect(await again.look(written(keys.own, 6))).toBeUndefined()
      expect(await again.look(written(keys.own, 6, { variant: 1 }))).toBe("trust/replayed")
      expect(await again.shown()).toEqual(written(keys.own, 6).files)
      await again.close()
      for (let seq = 1; seq < (LONG ? 2000 : 40); seq++) {
        const own = join(folder, `fresh-${seq}`)
        await mkdir(own)
        now = START + 2 * seq * MINUTE + (seq % 2 === 0 ? 6 : 8) * DAY
        const fresh = forgedNode(own, trust, () => now)
        expect(await fresh.look(written(keys.own, seq))).toBe(seq % 2 === 0 ? undefined : "trust/too-old")
        await fresh.close()
      }
    }))
})
