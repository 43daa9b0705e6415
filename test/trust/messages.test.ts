import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { forgedNode } from "./forged-node.ts"
import { MINUTE, START, unsigned, written } from "./forger.ts"
import { makeKeys } from "./forgery-codes.ts"

/** Every message that a node gives when keys change or signatures go, in one place: what readers see stays as it was. */
it("says of each key and signature that is not believed what is wrong and what to do, and shows what it showed", () =>
  withFolder(async (folder) => {
    const { keys, files } = await makeKeys(join(folder, "keys"))
    const [own = "", expired = ""] = files
    const stranger = join(folder, "keys", "stranger.pub")
    const [second, third] = [written(keys.own, 2), written(keys.own, 3)]
    const until = START - MINUTE

    async function lines(name: string, given: Parameters<typeof steps>[1]): Promise<string[]> {
      await mkdir(join(folder, name))
      return [name, ...(await steps(join(folder, name), given))]
    }
    async function steps(place: string, given: { keys: string[]; at?: number; record: (typeof second)[] }[]) {
      const said: string[] = []
      for (const { keys: believed, at = START + 100 * MINUTE, record } of given) {
        // A node that starts again has the same disk.
        const trust = { keys: believed, clusters: ["east"], maxAge: 1e12 }
        const node = forgedNode(place, trust, () => at)
        for (const one of record) {
          const code = await node.look(one)
          const what = code === undefined ? "shown" : node.message()
          said.push(`  two.txt is "${node.shown()["two.txt"]}": ${what}`)
        }
        await node.close()
      }
      return said
    }

    const all = [
      await lines("a key that was removed", [
        { keys: [own], record: [second] },
        { keys: [expired], record: [third] },
      ]),
      await lines("a key that has expired", [
        { keys: [expired], at: until, record: [written(keys.expired, 2)] },
        { keys: [expired], record: [written(keys.expired, 3)] },
      ]),
      await lines("two keys", [{ keys: [own, stranger], record: [second, written(keys.stranger, 3)] }]),
      await lines("a wrong key", [{ keys: [own], record: [second, written(keys.stranger, 3)] }]),
      await lines("unsigned after signed", [
        { keys: [own], record: [second, unsigned(second), unsigned(third)] },
      ]),
      await lines("a plugin that was rolled back to one that does not sign, and forward again", [
        {
          keys: [own],
          record: [second, unsigned(third), unsigned(written(keys.own, 4)), written(keys.own, 5)],
        },
      ]),
    ]
    const names = { [keys.own.id]: "OWN", [keys.expired.id]: "EXPIRED", [keys.stranger.id]: "STRANGER" }
    const text = Object.entries(names).reduce(
      (given, [id, name]) => given.replaceAll(id, name),
      all.flat().join("\n"),
    )
    expect(text.replaceAll(`${folder}/`, "")).toMatchInlineSnapshot(`
      "a key that was removed
        two.txt is "two 2": shown
        two.txt is "two 2": trust/unknown-key: record headrace/release is signed by key OWN, and those that are believed are EXPIRED → Add the public key to trust.keys of agents, and signing.keys of writers, if it is right.
      a key that has expired
        two.txt is "two 2": shown
        two.txt is "two 2": trust/key-expired: record headrace/release is signed by key EXPIRED of keys/expired.pub, which expired at 2026-01-01T00:00:00.000Z → Make a new key with keys generate, and sign by it.
      two keys
        two.txt is "two 2": shown
        two.txt is "two 3": shown
      a wrong key
        two.txt is "two 2": shown
        two.txt is "two 2": trust/unknown-key: record headrace/release is signed by key STRANGER, and those that are believed are OWN → Add the public key to trust.keys of agents, and signing.keys of writers, if it is right.
      unsigned after signed
        two.txt is "two 2": shown
        two.txt is "two 2": trust/unsigned: record headrace/release is not signed → Run keys sign where the key is, once the record is right.
        two.txt is "two 2": trust/unsigned: record headrace/release is not signed → Run keys sign where the key is, once the record is right.
      a plugin that was rolled back to one that does not sign, and forward again
        two.txt is "two 2": shown
        two.txt is "two 2": trust/unsigned: record headrace/release is not signed → Run keys sign where the key is, once the record is right.
        two.txt is "two 2": trust/unsigned: record headrace/release is not signed → Run keys sign where the key is, once the record is right.
        two.txt is "two 5": shown"
    `)
  }))
