import { createLog } from "@headrace/shared/observe/log"
import { newRecord } from "@headrace/shared/record/record"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import { NO_INPUTS } from "../assemble/inputs.ts"
import { openKnownFolder, writeKnownFile } from "../assemble/known-file.ts"
import { createRecordFloor } from "./record-floor.ts"

const log = createLog("test", { level: "silent" })
const [TOKEN, NOW, DAY] = [{ epoch: 2000, seq: 1 }, 1_000_000, 86_400_000]
const FOLDER = { floor: () => TOKEN }

/** What a node reads of the record in a cluster: all of these are at one token. */
function inputsOf(cluster: string, root: string, signedAt: number) {
  return {
    ...NO_INPUTS,
    record: { ...newRecord("release", TOKEN), root },
    recordOrigin: { source: `record headrace/release in ${cluster}`, instance: null },
    recordSignature: { cluster, key: "k", signedAt },
  }
}

it("takes a record for replayed by what the same record was signed at, and by no other record's", () =>
  withFolder(async (folder) => {
    const east = inputsOf("east", "e".repeat(64), 20)
    // As when one plugin has begun both in the same millisecond.
    const west = inputsOf("west", "f".repeat(64), 10)
    const replayed = inputsOf("east", "a".repeat(64), 5)
    for (const inputs of [east, west, east]) {
      const floor = createRecordFloor(folder, DAY, log)
      await floor.judge(inputs, FOLDER, NOW)
      await floor.shown(inputs)
      await expect(floor.judge(replayed, FOLDER, NOW)).rejects.toMatchObject({ code: "trust/replayed" })
    }
  }))

it("believes what an earlier version wrote down of whatever record it followed", () =>
  withFolder(async (folder) => {
    await openKnownFolder(folder)
    const before = { format: 1, token: TOKEN, content: "other", signedAt: 10 }
    await writeKnownFile(folder, "trusted-record", JSON.stringify(before))
    const floor = createRecordFloor(folder, DAY, log)
    const replayed = inputsOf("east", "a".repeat(64), 5)
    await expect(floor.judge(replayed, FOLDER, NOW)).rejects.toMatchObject({ code: "trust/replayed" })
    await floor.shown(inputsOf("east", "b".repeat(64), 11))
    await floor.judge(inputsOf("west", "c".repeat(64), 1), FOLDER, NOW)
  }))
