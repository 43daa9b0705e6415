import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { withFolder } from "../../../test/harness/with-folder.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { signingRecords } from "../reconcile/signed-records.ts"
import { newRecord } from "../record/record.ts"
import { recordConfigMap } from "../record/record-config-map.ts"
import { generateKeyFiles, publicTextOf, readPublicKey, readSigningKey } from "./key-file.ts"
import { readTrustedKeys } from "./read-trust.ts"
import { signRecord, verifyRecord } from "./record-signature.ts"

const NOW = Date.UTC(2026, 5, 1)
const HOUR = 3_600_000
const RECORD = recordConfigMap("headrace", newRecord("release", { epoch: 1, seq: 7 }))

async function makeKey(folder: string, name: string, expires?: string) {
  await mkdir(folder, { recursive: true })
  const file = join(folder, name)
  const { privateText, publicText } = generateKeyFiles(expires)
  await writeFile(file, privateText)
  await writeFile(`${file}.pub`, publicText)
  return { file, pub: `${file}.pub`, key: await readSigningKey(file) }
}

/** The code and message of what verifying throws; undefined: it is believed. */
function faultOf(configMap: ConfigMap, keys: Parameters<typeof verifyRecord>[1]["keys"], now = NOW) {
  try {
    verifyRecord(configMap, { keys, clusters: ["east"] }, now)
    return undefined
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return `${code}: ${message}`
  }
}

describe("a signed record", () => {
  it("is believed by any of several keys, and by none that was removed, has expired or is another", () =>
    withFolder(async (folder) => {
      const [first, second, short] = [
        await makeKey(folder, "first"),
        await makeKey(folder, "second"),
        await makeKey(folder, "short", "2026-07-01"),
      ]
      const by = ({ key }: typeof first) => signRecord(RECORD, { cluster: "east", key, signedAt: NOW })
      const both = await readTrustedKeys([first.pub, second.pub])
      expect(faultOf(by(first), both)).toBeUndefined()
      expect(faultOf(by(second), both)).toBeUndefined()
      expect(faultOf(by(first), await readTrustedKeys([second.pub]))).toBe(
        `trust/unknown-key: record headrace/release is signed by key ${first.key.id}, and those that are believed are ${second.key.id}`,
      )
      const timed = await readTrustedKeys([short.pub])
      expect(faultOf(by(short), timed)).toBeUndefined()
      expect(faultOf(by(short), timed, Date.UTC(2026, 6, 1))).toBe(
        `trust/key-expired: record headrace/release is signed by key ${short.key.id} of ${short.pub}, which expired at 2026-07-01T00:00:00.000Z`,
      )
      expect(faultOf(RECORD, both)).toBe("trust/unsigned: record headrace/release is not signed")
      // Another key under the id of one that is believed.
      const forged = signRecord(RECORD, {
        cluster: "east",
        key: { ...second.key, id: first.key.id },
        signedAt: NOW,
      })
      expect(faultOf(forged, both)).toMatch(/^trust\/bad-signature: /)
      const west = signRecord(RECORD, { cluster: "west", key: first.key, signedAt: NOW })
      expect(faultOf(west, both)).toBe(
        "trust/wrong-place: record headrace/release in cluster east was signed as headrace/release in cluster west",
      )
    }))

  it("has keys in files that are strict about what they say", () =>
    withFolder(async (folder) => {
      const { file, pub, key } = await makeKey(folder, "key", "2027-01-31T00:00:00.000Z")
      expect(await readFile(pub, "utf8")).toBe(publicTextOf(key))
      expect(await readPublicKey(pub)).toMatchObject({ id: key.id, expires: Date.UTC(2027, 0, 31) })
      await expect(readPublicKey(file)).rejects.toMatchObject({ code: "trust/key-invalid" })
      await expect(readSigningKey(pub)).rejects.toMatchObject({ code: "trust/key-invalid" })
      const text = await readFile(pub, "utf8")
      await writeFile(pub, text.replace("expires: 2027", "expire: 2027"))
      await expect(readPublicKey(pub)).rejects.toThrow("key.pub:1 cannot be used: expected expires")
      await expect(readPublicKey(join(folder, "none"))).rejects.toThrow("it cannot be read")
      await expect(readPublicKey(folder)).rejects.toThrow("it cannot be read")
      // A second key, and a restriction behind the key, would not be heeded: `cat old.pub new.pub`.
      const goesOn = "key.pub cannot be used: it goes on after its key"
      for (const more of [text, "expires: 2020-01-01\n", "\0"]) {
        await writeFile(pub, `${text}${more}`)
        await expect(readPublicKey(pub)).rejects.toThrow(goesOn)
      }
      // Date.parse takes these for days of March and May.
      for (const day of ["2027-02-30", "2027-04-31T00:00:00Z", "2027-13-01", "tomorrow"]) {
        await writeFile(pub, text.replace(/expires: .*/, `expires: ${day}`))
        await expect(readPublicKey(pub)).rejects.toThrow("key.pub:1 cannot be used: expected expires")
      }
      // As editors of other systems save it.
      await writeFile(pub, text.replaceAll("\n", "\r\n"))
      expect(await readPublicKey(pub)).toMatchObject({ id: key.id, expires: Date.UTC(2027, 0, 31) })
    }))

  it("is believed by a key that is in two files for as long as one of them says, in any order", () =>
    withFolder(async (folder) => {
      const short = await makeKey(folder, "short", "2026-05-01")
      const long = join(folder, "long.pub")
      await writeFile(long, publicTextOf({ key: short.key.key, expires: undefined }))
      const signed = signRecord(RECORD, { cluster: "east", key: short.key, signedAt: NOW })
      for (const files of [
        [short.pub, long],
        [long, short.pub],
      ])
        expect(faultOf(signed, await readTrustedKeys(files))).toBeUndefined()
      expect(faultOf(signed, await readTrustedKeys([short.pub]))).toMatch(/^trust\/key-expired: /)
    }))
})

describe("a writer that signs", () => {
  it("believes no record that is not signed, signs what it writes, and signs again what is getting old", () =>
    withFolder(async (folder) => {
      const { file } = await makeKey(folder, "own")
      const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
      let now = NOW
      const signing = { keyFile: file, keys: [], maxAge: 7 * 24 * HOUR }
      const place = { signing, cluster: "east", namespace: "headrace", now: () => now }
      const writer = signingRecords(kube, place)
      await writer.create(RECORD)
      const keys = [await readSigningKey(file)]
      const found = async () => {
        const configMap = await kube.get("headrace", "release")
        if (configMap === undefined) throw new Error("no record")
        return configMap
      }
      const signedAt = async () => verifyRecord(await found(), { keys, clusters: ["east"] }, now).signedAt
      expect(await signedAt()).toBe(NOW)

      now += 41 * HOUR
      await writer.renew("release", "signature")
      expect(await signedAt()).toBe(NOW)
      now += 2 * HOUR
      await writer.renew("release", "signature")
      expect(await signedAt()).toBe(now)
      // A clock that was put back signs no earlier than what was seen.
      const last = now
      now -= 100 * HOUR
      const state = await writer.get("headrace", "release")
      await writer.replace(state ?? RECORD)
      expect(await signedAt()).toBe(last + 1)

      // A plugin that was rolled back to one that does not sign: unsigned after signed.
      const { metadata, data } = await found()
      await kube.replace({ metadata, data: { "record.json": data?.["record.json"] ?? "" } })
      for (const read of [
        () => writer.get("headrace", "release"),
        () => writer.list("headrace", {}),
        () => writer.renew("release", "signature"),
      ]) {
        await expect(read()).rejects.toMatchObject({ code: "trust/unsigned" })
      }
    }))

  it("makes no earlier record new by its signature alone, and any once it was compared with git", () =>
    withFolder(async (folder) => {
      const { file, key } = await makeKey(folder, "own")
      const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
      let now = NOW
      const place = { cluster: "east", namespace: "headrace", now: () => now }
      const open = () =>
        signingRecords(kube, { ...place, signing: { keyFile: file, keys: [], maxAge: 8 * HOUR } })
      const signedAt = async () => {
        const found = (await kube.get("headrace", "release")) ?? RECORD
        return verifyRecord(found, { keys: [key], clusters: ["east"] }, now).signedAt
      }
      const writer = open()
      const earlier = await writer.create(RECORD)
      now += HOUR
      const later = await writer.replace(earlier)
      const { data } = earlier
      await kube.replace({ ...later, ...(data ? { data } : {}) })
      now += 3 * HOUR
      await writer.renew("release", "signature")
      expect(await signedAt()).toBe(NOW)
      await writer.renew("release", "git")
      expect(await signedAt()).toBe(now)

      // A process that has seen nothing yet goes by maxAge.
      const last = now
      now += 9 * HOUR
      await open().renew("release", "signature")
      expect(await signedAt()).toBe(last)
      await open().renew("release", "git")
      expect(await signedAt()).toBe(now)
    }))

  it("reads and writes none without its key, where the public one lets it read", () =>
    withFolder(async (folder) => {
      const { file, pub } = await makeKey(folder, "own")
      const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
      const place = { cluster: "east", namespace: "headrace", now: () => NOW }
      const maxAge = 24 * HOUR
      await signingRecords(kube, { ...place, signing: { keyFile: file, keys: [], maxAge } }).create(RECORD)
      const reader = signingRecords(kube, {
        ...place,
        signing: { keyFile: `${file}-none`, keys: [pub], maxAge },
      })
      const found = await reader.get("headrace", "release")
      expect(found).toBeDefined()
      await expect(reader.replace(found ?? RECORD)).rejects.toMatchObject({ code: "trust/no-key" })
    }))
})
