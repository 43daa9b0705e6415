import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { believe } from "@headrace/agent/watch/watch-record"
import { generateKeyFiles, readSigningKey } from "@headrace/shared/trust/key-file"
import { signRecord } from "@headrace/shared/trust/record-signature"
import { withFolder } from "../harness/with-folder.ts"
import { revisionObjects } from "../harness/write-revision.ts"
import { quantile } from "./quantile.ts"

const ROUNDS = 2000

/** What `trust` costs an agent for each record that it reads: key files, signature and parsing, in turn without and with. */
export async function run(): Promise<Record<string, number>> {
  return withFolder(async (folder) => {
    const file = join(folder, "key")
    const { privateText, publicText } = generateKeyFiles(undefined)
    await writeFile(file, privateText)
    await writeFile(`${file}.pub`, publicText)
    const now = Date.now()
    const { record } = revisionObjects({ seq: 7, targets: { "ci/alpha": { "a.txt": "a" } } })
    const signed = signRecord(record, { cluster: "east", key: await readSigningKey(file), signedAt: now })
    const trust = { keys: [`${file}.pub`], clusters: ["east"] }
    const times = { without: [] as number[], with: [] as number[] }
    const { namespace = "", name } = record.metadata
    for (let round = 0; round < ROUNDS; round++) {
      for (const mode of ["without", "with"] as const) {
        const began = performance.now()
        await believe(signed, { namespace, name, trust: mode === "with" ? trust : undefined }, now)
        times[mode].push(performance.now() - began)
      }
    }
    return {
      "a record, without trust, p50 ms": quantile(times.without, 0.5),
      "a record, with trust, p50 ms": quantile(times.with, 0.5),
      "a record, with trust, p99 ms": quantile(times.with, 0.99),
    }
  })
}
