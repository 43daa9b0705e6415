import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { generateKeyFiles, readSigningKey } from "@headrace/shared/trust/key-file"
import { describe, expect, it } from "vitest"
import { withMemoryFolder } from "../harness/with-folder.ts"
import { forgedNode } from "./forged-node.ts"
import { type Keys, KINDS, MINUTE, START, written } from "./forger.ts"
import { runForgeries } from "./run-forgeries.ts"

const COUNT = Number(process.env.HEADRACE_FORGERIES ?? 400)
const SEED = Number(process.env.HEADRACE_SEED ?? 16)
const LONG = COUNT > 400
const DAY = 1440 * MINUTE
const TIMEOUT = 60_000 + COUNT * 40
/** Each forgery that is shown takes a new node, which is ten times as slow: a few thousand say as much. */
const CONTROL = LONG ? 2000 : 150

async function makeKeys(folder: string): Promise<{ keys: Keys; files: string[] }> {
  await mkdir(folder)
  async function make(name: string, expires?: string) {
    const { privateText, publicText } = generateKeyFiles(expires)
    await writeFile(join(folder, name), privateText)
    await writeFile(join(folder, `${name}.pub`), publicText)
    return readSigningKey(join(folder, name))
  }
  const keys = {
    own: await make("own"),
    expired: await make("expired", "2026-01-01"),
    stranger: await make("stranger"),
  }
  return { keys, files: ["own", "expired"].map((name) => join(folder, `${name}.pub`)) }
}

/** What each kind of forgery is refused by; the codes of a store that is not what its digest says are the store's. */
const CODES: Record<string, RegExp> = {
  flip: /^trust\/bad-signature$/,
  flipSignature: /^trust\/(bad-signature|unknown-key)$/,
  truncate: /^trust\/bad-signature$/,
  strip: /^trust\/unsigned$/,
  note: /^trust\/bad-signature$/,
  spliceSource: /^trust\/wrong-place$/,
  spliceCluster: /^trust\/wrong-place$/,
  spliceRoot: /^trust\/bad-signature$/,
  replay: /^projection\/older$/,
  replayRecreated: /^projection\/older$/,
  replaySameToken: /^trust\/replayed$/,
  strangersKey: /^trust\/unknown-key$/,
  expiredKey: /^trust\/key-expired$/,
  flipStore: /^(store|bundle)\/|^harmless$/,
  truncateStore: /^(store|bundle)\/|^harmless$/,
  spliceStore: /^(store|bundle)\/|^harmless$/,
}

describe("somebody who may write records, indexes and shards, and has no key", () => {
  it(
    `has a node that has trust show nothing by ${COUNT} forgeries, each refused by its code`,
    { timeout: TIMEOUT },
    () =>
      withMemoryFolder(async (folder) => {
        const { keys, files } = await makeKeys(join(folder, "keys"))
        const trust = { keys: files, clusters: ["east"], maxAge: 7 * DAY }
        const report = await runForgeries({ folder, count: COUNT, seed: SEED, keys, trust })
        if (LONG) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
        expect(report.shown).toBe(0)
        const found = Object.entries(report.refused)
        expect(found.map(([kind]) => kind).sort()).toEqual([...KINDS].sort())
        for (const [kind, codes] of found) {
          expect(
            Object.keys(codes).filter((code) => !CODES[kind]?.test(code)),
            kind,
          ).toEqual([])
        }
      }),
  )

  it("has a node without trust show many: the control", { timeout: 60_000 + CONTROL * 300 }, () =>
    withMemoryFolder(async (folder) => {
      const { keys } = await makeKeys(join(folder, "keys"))
      const report = await runForgeries({ folder, count: CONTROL, seed: SEED, keys, trust: undefined })
      if (LONG) process.stdout.write(`control: ${report.shown} of ${CONTROL} were shown\n`)
      expect(report.shown).toBeGreaterThan(CONTROL / 10)
    }),
  )

  it("has a fresh node show nothing older than maxAge, and one with a disk its own record at any age", () =>
    withMemoryFolder(async (folder) => {
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
