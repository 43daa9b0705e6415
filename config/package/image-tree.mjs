import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { productionPackages } from "./production-packages.mjs"

const WORKSPACES = ["shared", "plugin", "bootstrapper", "agent"]

/**
 * Builds the sources of a commit in an empty folder, as the images' build stage does. Packages come from the lock by npm where
 * `install`, otherwise those that `root` has installed by it are used.
 */
export function buildSources(root, commit, folder, install) {
  const archive = execFileSync("git", ["-C", root, "archive", commit], { maxBuffer: 2 ** 30 })
  execFileSync("tar", ["-x", "-C", folder], { input: archive })
  if (install) run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
  else borrowPackages(root, folder)
  const compiler = join(folder, "node_modules/typescript/bin/tsc")
  run(process.execPath, [compiler, "-b", ...WORKSPACES], folder)
  const licences = execFileSync(process.execPath, ["config/package/third-party.mjs"], {
    cwd: folder,
    maxBuffer: 2 ** 26,
  })
  writeFileSync(join(folder, "LICENSES.txt"), licences)
}

/**
 * Every file that the Dockerfile copies from its build stages, in order of its path: `MODE SHA256 PATH`, or a link's target. The
 * digest of these lines names the whole. Times and owners are not part of it; the base image and Debian's packages are
 * not among the files.
 */
export function imageTree(folder) {
  const packages = productionPackages(folder).filter(({ isInstalled }) => isInstalled)
  const own = WORKSPACES.flatMap((name) => [`${name}/package.json`, `${name}/dist`])
  const lines = [
    ...["LICENSE", "LICENSES.txt", "package.json", ...own].flatMap((place) =>
      linesOf(join(folder, place), place),
    ),
    // One that is borrowed is a link here, and none in an image.
    ...packages.flatMap(({ place }) => linesOf(realpathSync(join(folder, place)), place)),
  ].sort()
  const digest = createHash("sha256")
    .update(`${lines.join("\n")}\n`)
    .digest("hex")
  return { digest, lines }
}

/** Of a file or folder at a path, under the name that it has in the image. */
function linesOf(path, place) {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) return [`link ${readlinkSync(path)} ${place}`]
  if (found.isDirectory()) {
    // A package within another is listed by itself, when it ships.
    const names = readdirSync(path).filter((name) => name !== "node_modules")
    return names.flatMap((name) => linesOf(join(path, name), `${place}/${name}`))
  }
  const isProgram = /^(plugin|bootstrapper|agent)\/dist\/main\.js$/.test(place) || (found.mode & 0o111) !== 0
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex")
  return [`${isProgram ? "755" : "644"} ${digest} ${place}`]
}

/** Links to each installed package; our own are those of the folder. */
function borrowPackages(root, folder) {
  const from = join(root, "node_modules")
  mkdirSync(join(folder, "node_modules/@headrace"), { recursive: true })
  for (const name of readdirSync(from)) {
    if (name === "@headrace" || name === ".bin" || name.startsWith(".package-lock")) continue
    if (existsSync(join(folder, "node_modules", name))) continue
    if (!statSync(join(from, name)).isDirectory()) continue
    symlinkSync(join(from, name), join(folder, "node_modules", name))
  }
  for (const name of WORKSPACES)
    symlinkSync(join("../..", name), join(folder, "node_modules/@headrace", name))
  for (const name of WORKSPACES) {
    const inner = join(root, name, "node_modules")
    if (existsSync(inner)) symlinkSync(inner, join(folder, name, "node_modules"))
  }
}

function run(program, args, cwd) {
  execFileSync(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
}
