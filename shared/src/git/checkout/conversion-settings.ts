import { join } from "node:path"
import { callersEnvironment, type GitSetting } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"
import type { GitFolders } from "./git-folders.ts"

/** Settings that say how files on disk become contents, and which are there. They name no program. git-config(1). */
const HARMLESS =
  "core\\.(autocrlf|eol|filemode|symlinks|ignorecase|precomposeunicode|protecthfs|protectntfs|sparsecheckout)|sparse\\.expectfilesoutsideofpatterns"
/**
 * The caller's own ignored files and attributes. A checkout's configuration may name any file of the machine there, and git
 * quotes such a file's lines where it complains of them.
 */
const CALLERS_FILES = "core\\.(attributesfile|excludesfile)"
/** What the repository is made of. */
const EXTENSIONS = "extensions\\.(objectformat|refstorage)"
/** Of git-config(1), --show-scope: whose configuration is the checkout's. */
const OF_CHECKOUT = new Set(["local", "worktree"])

/** What is taken over of the configuration that git has for a checkout. */
export interface TakenSettings {
  /** Of the repository's format: for a config file. */
  extensions: GitSetting[]
  /** How git stores the work tree's files, for the user who runs this: for commands that look at it. */
  conversions: GitSetting[]
}

/**
 * Reads the settings by which git stores files of a checkout: the system's, the user's, the repository's and the work tree's,
 * the later ones stronger, as git finds them. Only those named above are taken, so nothing that the checkout's owner
 * wrote names a program. Throws `git/…`.
 */
export async function readConversionSettings({ own, common }: GitFolders): Promise<TakenSettings> {
  // By itself: of a repository with an extension that it does not know, git reads no setting.
  const ofFile = await readConfig(
    own,
    ["--file", join(common, "config"), "--no-includes"],
    [HARMLESS, EXTENSIONS],
  )
  const found = await readConfig(own, [], [HARMLESS, CALLERS_FILES])
  const isExtension = ({ key }: Setting) => key.startsWith("extensions.")
  const taken = found.filter(({ key, scope }) => !key.endsWith("file") || !OF_CHECKOUT.has(scope))
  return {
    extensions: ofFile.filter(isExtension).map(pairOf),
    conversions: [...ofFile.filter((setting) => !isExtension(setting)), ...taken].map(pairOf),
  }
}

interface Setting {
  scope: string
  key: string
  value: string
}

/** `git config --null --show-scope`: SCOPE, a NUL, KEY, a newline with VALUE unless that is absent, a NUL. */
async function readConfig(
  gitDir: string,
  where: readonly string[],
  names: readonly string[],
): Promise<Setting[]> {
  const args = ["config", ...where, "--null", "--show-scope", "--get-regexp", `^(${names.join("|")})$`]
  // Absent is an answer.
  const { stdout } = await runGit({ gitDir, args, env: callersEnvironment(), answers: [1] })
  const fields = stdout.toString("utf8").split("\0")
  const found: Setting[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [key = "", value = "true"] = fields[at + 1]?.split(/\n(.*)/s) ?? []
    found.push({ scope: fields[at] ?? "", key, value })
  }
  return found
}

function pairOf({ key, value }: Setting): GitSetting {
  return [key, value]
}
