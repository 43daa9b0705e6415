import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type GitSetting, gitEnvironment } from "./process/git-environment.ts"
import { runGit } from "./process/run-git.ts"

/** A file as a clone has it on disk, where attributes make that other bytes than git's own. */
export interface CheckedOutFile {
  /** The attributes that do so, as .gitattributes writes them: `eol=crlf`, `ident`. */
  attributes: readonly string[]
  content: Buffer
}

/** Where to find a commit or tree, of which nothing is on disk. */
export interface StoredTree {
  gitDir: string
  /** Full id of a commit or tree. */
  id: string
}

/** What of gitattributes(5) changes a text between git and the disk, without a program of its own. */
const CONVERSIONS = ["eol", "crlf", "ident", "working-tree-encoding"]
/** A clone's own settings are unknown; these are git's on Linux, whatever the user who runs this has. */
const DEFAULTS: readonly GitSetting[] = [
  ["core.autocrlf", "false"],
  ["core.eol", "lf"],
  ["core.attributesFile", "/dev/null"],
]
const NONE = new Set(["unspecified", "unset", "lf", "input", "auto"])

/**
 * What `git clone` writes to disk for those of these paths whose attributes have it convert them: what a program that
 * reads a clone, such as Prow, takes for their content. By path; a file that stays as git has it is not there. No
 * filter runs. Throws `git/…`.
 */
export async function checkedOutFiles(
  { gitDir, id }: StoredTree,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, CheckedOutFile>> {
  if (paths.length === 0) return new Map()
  const scratch = await mkdtemp(join(tmpdir(), "headrace-clone-"))
  const folder = join(scratch, "files")
  const env = gitEnvironment(DEFAULTS, {
    GIT_INDEX_FILE: join(scratch, "index"),
    GIT_WORK_TREE: folder,
  })
  const git = async (args: readonly string[], names: Iterable<string> = []) => {
    const stdin = Buffer.from([...names].map((name) => `${name}\0`).join(""))
    return (await runGit({ gitDir, folder, env, args, stdin, signal })).stdout
  }
  try {
    await mkdir(folder)
    await git(["read-tree", "--end-of-options", id])
    const given = await git(["check-attr", "--cached", "-z", "--stdin", ...CONVERSIONS], paths)
    const attributes = parseAttributes(given.toString("utf8"))
    await git(["checkout-index", "-z", "--stdin", "--force"], attributes.keys())
    const found = new Map<string, CheckedOutFile>()
    for (const [path, names] of attributes) {
      found.set(path, { attributes: names, content: await readFile(join(folder, path)) })
    }
    return found
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** `git check-attr -z`: PATH, ATTRIBUTE and VALUE, each with a NUL. By path, those that convert. */
function parseAttributes(output: string): Map<string, string[]> {
  const fields = output.split("\0")
  const found = new Map<string, string[]>()
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [path = "", name = "", value = ""] = fields.slice(at, at + 3)
    if (NONE.has(value)) continue
    const names = found.get(path) ?? []
    found.set(path, names)
    names.push(value === "set" ? name : `${name}=${value}`)
  }
  return found
}
