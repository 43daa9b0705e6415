import { DIGEST_ANNOTATION } from "@headrace/shared/bundle/store-config-map"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import type { NewObjects } from "@headrace/shared/record/new-objects"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { NAMESPACE, revisionObjects } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { NO_INPUTS } from "./inputs.ts"
import { createStoreReader } from "./store-reader.ts"
import { createTargetSource } from "./target-source.ts"

const { store, record } = revisionObjects({
  seq: 1,
  targets: { "ci/jobs": { a: "1" }, "ci/other": { b: "2" } },
})

/** Assembles ci/jobs by a note; `read` lists what was asked for, and how many of it before the first answer came. */
async function assembleWith(recordAdded: NewObjects | undefined) {
  const byName = new Map<string, ConfigMap>(store.map((object) => [object.metadata.name, object]))
  const read: string[] = []
  let atOnce: number | undefined
  const reader = {
    get: async (_: string, name: string) => {
      read.push(name)
      await new Promise((resolve) => setTimeout(resolve, 10))
      atOnce ??= read.length
      return byName.get(name)
    },
  }
  const { signal } = new AbortController()
  const source = createTargetSource(
    { target: "ci/jobs", names: "keys", whenAbsent: "wait" },
    createStoreReader({ reader, namespace: NAMESPACE, signal }),
  )
  const { files } = await source.assemble({ ...NO_INPUTS, record: readRecord(record), recordAdded })
  return { paths: files.map(({ path }) => path), read, atOnce }
}

const root = readRecord(record).root ?? ""
const plain = await assembleWith(undefined)
/** Those of the target, in the order in which they are found by one another. */
const [, index = "", shard = ""] = plain.read.map((name) => digestOf(name))

function digestOf(name: string): string {
  const object = store.find(({ metadata }) => metadata.name === name)
  return object?.metadata.annotations?.[DIGEST_ANNOTATION] ?? ""
}

it("asks for what a revision added to its target at once, and for nothing twice", async () => {
  const added = { root, indexes: [], targets: { "ci/jobs": { indexes: [index], shards: [shard] } } }

  const ahead = await assembleWith(added)

  expect(plain).toMatchObject({ paths: ["a"], atOnce: 1 })
  expect(ahead).toMatchObject({ paths: ["a"], atOnce: 3 })
  expect(ahead.read.toSorted()).toEqual(plain.read.toSorted())
})

it.each<[string, NewObjects]>([
  [
    "of another root",
    { root: sha256("other"), indexes: [], targets: { "ci/jobs": { indexes: [index], shards: [] } } },
  ],
  [
    "of another target",
    { root, indexes: [index], targets: { "ci/other": { indexes: [index], shards: [shard] } } },
  ],
])("leaves a note alone: %s", async (_, added) => {
  expect(await assembleWith(added)).toEqual(plain)
})

it("shows what the record names when the note names what is not there", async () => {
  const lost = sha256("lost")
  const added = { root, indexes: [lost], targets: { "ci/jobs": { indexes: [lost], shards: [lost, shard] } } }

  expect(await assembleWith(added)).toMatchObject({ paths: ["a"] })
})
