import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { withFolder } from "../harness/with-folder.ts"

const ROOT = join(import.meta.dirname, "../..")
const WORKSPACES = ["shared", "plugin", "bootstrapper", "agent", "config", "test"]

/** The programs of one commit, by the folder of its sources. */
export interface Programs {
  plugin: string
  bootstrapper: string
  agent: string
}

/** The programs of this checkout. */
export const today: Programs = programsIn(ROOT)

/** The commit whose programs must work beside today's: the last one whose records, stores and notes all had format 1. */
export const EARLIER = "c91ba4d8c3dacf25a6b8ef45dd30a9a2a5dd6360"

/** The last commit before sources had stages. */
export const EARLIER_THAN_ROLLOUTS = "9f45aceddfa81c5f7dba788b61bc1c0169cc3385"

/**
 * Runs `use` with the programs of an earlier commit, checked out in a folder of their own. Packages are those of this
 * checkout, by links, where the commit's lock names the same versions; otherwise `npm ci` installs them. Throws when the
 * repository does not have the commit (a shallow clone).
 */
export async function withEarlierPrograms<T>(
  commit: string,
  use: (programs: Programs) => Promise<T>,
): Promise<T> {
  return withFolder(async (folder) => {
    const checkout = join(folder, "earlier")
    // One that a killed run left registered.
    git("worktree", "prune")
    git("worktree", "add", "--quiet", "--detach", checkout, commit)
    try {
      if (hasSamePackages(checkout)) linkPackages(checkout)
      else execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: checkout })
      return await use(programsIn(checkout))
    } finally {
      git("worktree", "remove", "--force", checkout)
    }
  })
}

/** True when this repository has the commit. */
export function hasCommit(commit: string): boolean {
  try {
    git("cat-file", "-e", `${commit}^{commit}`)
    return true
  } catch {
    return false
  }
}

function programsIn(folder: string): Programs {
  const main = (program: string) => join(folder, program, "src/main.ts")
  return { plugin: main("plugin"), bootstrapper: main("bootstrapper"), agent: main("agent") }
}

function git(...args: string[]): void {
  execFileSync("git", args, { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] })
}

/** True when each package that the earlier programs depend on is installed here at the version that their lock names. */
function hasSamePackages(checkout: string): boolean {
  const { packages } = readJson(join(checkout, "package-lock.json")) as LockFile
  const needed = WORKSPACES.flatMap((name) => Object.keys(packages[name]?.dependencies ?? {}))
  return needed.every((name) => {
    if (name.startsWith("@headrace/")) return true
    const file = join(ROOT, "node_modules", name, "package.json")
    if (!existsSync(file)) return false
    return (readJson(file) as { version: string }).version === packages[`node_modules/${name}`]?.version
  })
}

interface LockFile {
  packages: { [path: string]: { version?: string; dependencies?: { [name: string]: string } } | undefined }
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"))
}

/** Links every package but those of the workspace, which are the earlier ones. */
function linkPackages(checkout: string): void {
  const modules = join(checkout, "node_modules")
  mkdirSync(join(modules, "@headrace"), { recursive: true })
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name.startsWith(".") || name === "@headrace") continue
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name))
  }
  for (const name of WORKSPACES) {
    symlinkSync(join(checkout, name), join(modules, "@headrace", name))
    const own = join(ROOT, name, "node_modules")
    if (existsSync(own)) cpSync(own, join(checkout, name, "node_modules"), { recursive: true })
  }
}
