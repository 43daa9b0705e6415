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

/** `KIND: CODE` of each refusal that is not the one of its kind. */
export function unexpectedCodes({ refused }: Pick<ForgeryReport, "refused">): string[] {
  return Object.entries(refused).flatMap(([kind, codes]) =>
    Object.keys(codes)
      .filter((code) => !CODES[kind]?.test(code))
      .map((code) => `${kind}: ${code}`),
  )
}
