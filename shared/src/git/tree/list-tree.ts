import type { TreeFile } from "../../foundation/tree.ts"
import { runGit } from "../process/run-git.ts"
import { admitEntries, type ObjectSource } from "./admit-entries.ts"
import { parseListing } from "./parse-entries.ts"
import type { RawTree } from "./raw-tree.ts"

/** True for files whose content says which paths Git LFS keeps: gitattributes(5). */
export function isAttributesFile(path: string): boolean {
  return path === ".gitattributes" || path.endsWith("/.gitattributes")
}

/** All entries of a commit. Throws `git/…`. */
export async function listTree(gitDir: string, commit: string, source: ObjectSource): Promise<RawTree> {
  const { stdout } = await runGit({ gitDir, args: ["ls-tree", "-r", "-l", "-z", "--full-tree", commit] })
  const parsed = parseListing(stdout)
  const raw = await admitEntries(parsed, false, source)
  if (!(await attributesUseLfs(raw.files, source))) return raw
  return admitEntries(parsed, true, source)
}

async function attributesUseLfs(files: readonly TreeFile[], source: ObjectSource): Promise<boolean> {
  const attributes = files.filter((file) => isAttributesFile(file.path))
  const contents = await source.contents(attributes.map((file) => file.oid))
  return contents.some((content) => content.includes("filter=lfs"))
}
