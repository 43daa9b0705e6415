import { createHash } from "node:crypto"
import { compareText } from "@headrace/shared/foundation/canonical-json"
import type { Tree, TreeFile } from "@headrace/shared/foundation/tree"

/** Trees made of texts, and what reads them. */
export function sampleTrees() {
  const contents = new Map<string, Buffer>()
  function treeOf(files: { [path: string]: string | Buffer }): Tree {
    const listed = Object.entries(files).map(([path, given]): TreeFile => {
      const content = Buffer.from(given)
      const oid = createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex")
      contents.set(oid, content)
      return { path, oid, size: content.length, executable: false }
    })
    return { files: listed.sort((a, b) => compareText(a.path, b.path)), problems: [] }
  }
  async function read(files: readonly Pick<TreeFile, "oid">[]): Promise<Buffer[]> {
    return files.map(({ oid }) => contents.get(oid) ?? Buffer.alloc(0))
  }
  return { treeOf, read }
}
