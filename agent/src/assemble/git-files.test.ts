import { sha256 } from "@headrace/shared/foundation/digest"
import type { Tree, TreeFile } from "@headrace/shared/foundation/tree"
import { expect, it } from "vitest"
import { gitFiles } from "./git-files.ts"

const MEGABYTE = 1024 * 1024
const FILE_BYTES = 100_000
const SIGNAL = new AbortController().signal

/** A repository of `count` files that notes how many bytes it was asked for at once. */
function createRepository(count: number) {
  const asked: number[] = []
  const contents = new Map(
    Array.from({ length: count }, (_, at): [string, Buffer] => [`oid-${at}`, Buffer.alloc(FILE_BYTES, at)]),
  )
  const files: TreeFile[] = [...contents].map(([oid]) => ({
    path: `${oid}.yaml`,
    oid,
    size: FILE_BYTES,
    executable: false,
  }))
  const tree: Tree = { files, problems: [] }
  async function blobs(oids: readonly string[]): Promise<Buffer[]> {
    asked.push(oids.length * FILE_BYTES)
    return oids.map((oid) => contents.get(oid) ?? Buffer.alloc(0))
  }
  return { tree, contents, asked, repository: { blobs } }
}

it("holds few contents at once while it learns digests, and says of each byte that it was read", async () => {
  const { tree, contents, asked, repository } = createRepository(100)
  const read: number[] = []
  const reading = { known: new Map<string, string>(), onRead: (bytes: number) => read.push(bytes) }
  const files = await gitFiles(repository, { commit: "c".repeat(40), tree }, {}, reading, SIGNAL)
  expect(files.map((file) => file.sha256)).toEqual([...contents.values()].map(sha256))
  expect(Math.max(...asked)).toBeLessThan(MEGABYTE + FILE_BYTES)
  expect(read).toEqual(asked)

  read.length = 0
  for (const file of files) expect(sha256(await file.read())).toBe(file.sha256)
  expect(read).toEqual(files.map(() => FILE_BYTES))
})

it("reads what is new in a commit, and forgets what is not there any more", async () => {
  const { tree, asked, repository } = createRepository(10)
  const known = new Map<string, string>()
  const [first, ...others] = tree.files
  await gitFiles(
    repository,
    { commit: "a".repeat(40), tree: { ...tree, files: others } },
    {},
    { known },
    SIGNAL,
  )
  expect(asked).toEqual([9 * FILE_BYTES])
  await gitFiles(repository, { commit: "b".repeat(40), tree }, {}, { known }, SIGNAL)
  expect(asked).toEqual([9 * FILE_BYTES, FILE_BYTES])
  const only = first === undefined ? [] : [first]
  await gitFiles(
    repository,
    { commit: "c".repeat(40), tree: { ...tree, files: only } },
    {},
    { known },
    SIGNAL,
  )
  expect([...known.keys()]).toEqual(["oid-0"])
})
