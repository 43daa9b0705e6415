import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
const ROOT = join(import.meta.dirname, "../..")

export interface Manifest {
  name: string
  version: string
  private?: boolean
  bin: Record<string, string>
  engines: { node: string }
  exports: object
  dependencies: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/**
 * Packs programs of the workspace, as `npm pack` in their folders does; gives the tarballs by program. In `npm test` the
 * bundles are there already, and other tests run them: they are not made again.
 */
export async function packPrograms(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const workspaces = names.flatMap((name) => ["--workspace", name])
  const isBundled = process.env.HEADRACE_TEST_PROGRAMS === "bundle"
  const scripts = isBundled ? ["--ignore-scripts"] : []
  const args = ["pack", ...workspaces, ...scripts, "--json", "--pack-destination", folder, "--loglevel=error"]
  const { stdout } = await run("npm", args, { cwd: ROOT, maxBuffer: 2 ** 26 })
  const printed: unknown = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))
  const packed = Object.values(printed as object) as { name: string; filename: string }[]
  return new Map(packed.map(({ name, filename }) => [name.replace("@headrace/", ""), join(folder, filename)]))
}

/**
 * Unpacks tarballs into the folder's node_modules and gives each what its package.json depends on: those that this
 * workspace has installed, as npm would from a registry, which a test does not ask. With HEADRACE_INSTALL=npm npm does.
 */
export async function installPacked(folder: string, tarballs: ReadonlyMap<string, string>): Promise<void> {
  if (process.env.HEADRACE_INSTALL === "npm") {
    await writeFile(join(folder, "package.json"), "{}")
    await run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs.values()], {
      cwd: folder,
    })
    return
  }
  for (const [name, tarball] of tarballs) {
    const installed = join(folder, "node_modules/@headrace", name)
    await mkdir(installed, { recursive: true })
    await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed])
    await linkDependencies(folder, await manifestOf(installed))
  }
}

/** Files of a bundle that its entries do not import, by whatever way: what an older bundle has left there. */
export function leftOvers(bundle: string, entries: readonly string[]): string[] {
  const reached = new Set<string>()
  const open = [...entries]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (reached.has(file)) continue
    reached.add(file)
    const code = readFileSync(join(bundle, file), "utf8")
    const imported = code.matchAll(/(?:from|import)\s*\(?\s*["'`](\.[^"'`]+\.js)["'`]/g)
    for (const [, path = ""] of imported) open.push(join(dirname(file), path))
  }
  const files = readdirSync(bundle, { recursive: true, encoding: "utf8" })
  return files.filter((file) => file.endsWith(".js") && !reached.has(file))
}

/** The package.json in a folder. */
export async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"))
}

async function linkDependencies(
  folder: string,
  { dependencies, optionalDependencies }: Manifest,
): Promise<void> {
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const [from, to] = [join(ROOT, "node_modules", name), join(folder, "node_modules", name)]
    if (existsSync(to) || !existsSync(from)) continue
    await mkdir(join(to, ".."), { recursive: true })
    await symlink(from, to)
  }
}
