import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { generateKeyFiles, readSigningKey } from "@headrace/shared/trust/key-file"
import type { Keys } from "./forger.ts"
import type { ForgeryReport } from "./run-forgeries.ts"

/** Makes the writer's key, an expired one and a stranger's; `files` are the public ones that a node believes. */
export async function makeKeys(folder: string): Promise<{ keys: Keys; files: string[] }> {
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
  spliceNamespace: /^trust\/wrong-place$/,
  spliceSignature: /^trust\/bad-signature$/,
  restate: /^trust\/(bad-signature|key-expired)$/,
  spliceRoot: /^trust\/bad-signature$/,
  replay: /^projection\/older$/,
  replayRecreated: /^projection\/older$/,
  replaySameToken: /^trust\/replayed$/,
  strangersKey: /^trust\/unknown-key$/,
  expiredKey: /^trust\/key-expired$/,
  flipStore: /^(store|bundle)\/|^harmless$/,
  truncateStore: /^(store|bundle)\/|^harmless$/,
  spliceStore: /^(store|bundle)\/|^harmless$/,
  spliceTarget: /^(store|bundle)\/|^harmless$/,
}

/** What a node without a floor does besides: it shows an earlier revision that is not too old. */
const FRESH: Record<string, RegExp> = {
  replay: /^trust\/too-old$|^recent$/,
  replayRecreated: /^trust\/too-old$|^recent$/,
  replaySameToken: /^trust\/too-old$|^recent$/,
}
/** Its store is read only when its record is not too old. */
const FRESH_STORE = /^trust\/too-old$|^(store|bundle)\/|^recent$/

/** `KIND: CODE` of each refusal that is not the one of its kind, by a node with a disk. */
export function unexpectedCodes({ refused }: Refusals): string[] {
  return unexpected(refused, (kind) => CODES[kind])
}

/** The same by nodes that have shown nothing yet. */
export function unexpectedOfFresh({ refused }: Refusals): string[] {
  return unexpected(
    refused,
    (kind) => FRESH[kind] ?? (kind.endsWith("Store") || kind === "spliceTarget" ? FRESH_STORE : CODES[kind]),
  )
}

type Refusals = Pick<ForgeryReport, "refused">

function unexpected(refused: Refusals["refused"], codeOf: (kind: string) => RegExp | undefined): string[] {
  return Object.entries(refused).flatMap(([kind, codes]) =>
    Object.keys(codes)
      .filter((code) => !codeOf(kind)?.test(code))
      .map((code) => `${kind}: ${code}`),
  )
}
