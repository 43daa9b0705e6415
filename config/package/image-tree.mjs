import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
} from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { PROGRAMS } from "./image-packages.mjs"

const WORKSPACES = ["shared", ...PROGRAMS]

/**
 * Makes what the images hold of a commit in an empty folder, as their build stage does, and returns where it is. Packages come
 * from the lock by npm where `install`, otherwise those that `root` has installed by it are used.
 */
export function buildImageFolder(root, commit, folder, install) {
  const archive = execFileSync("git", ["-C", root, "archive", commit], { maxBuffer: 2 ** 30 })
  execFileSync("tar", ["-x", "-C", folder], { input: archive })
  if (install) run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
  else borrowPackages(root, folder)
  for (const name of PROGRAMS) run(process.execPath, ["config/package/bundle.mjs", name], folder)
  const image = join(folder, "image")
  run(process.execPath, ["config/package/image-folder.mjs", image], folder)
  return image
}

/**
 * Every file of an image's folder, in order of its path: `MODE SHA256 PATH`, or a link's target. The digest of these lines names
 * the whole. Times and owners are not part of it; the base image and Debian's packages are not among the files.
 */
export function imageTree(folder) {
  const lines = readdirSync(folder)
    .flatMap((name) => linesOf(join(folder, name), name))
    .sort()
  const digest = createHash("sha256")
    .update(`${lines.join("\n")}\n`)
    .digest("hex")
  return { digest, lines }
}

/** Of a file or folder at a path, under the name that it has in the image. */
function linesOf(path, place) {
  const found = lstatSync(path)
  if (found.isSymbolicLink()) return [`link ${readlinkSync(path)} ${place}`]
  if (found.isDirectory())
    return readdirSync(path).flatMap((name) => linesOf(join(path, name), `${place}/${name}`))
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex")
  return [`${(found.mode & 0o111) === 0 ? "644" : "755"} ${digest} ${place}`]
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
