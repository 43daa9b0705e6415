import { readdirSync } from "node:fs"
import { join, relative } from "node:path"

/** The folders that hold code, from the project's root. */
const CODE = ["shared/src", "plugin/src", "bootstrapper/src", "agent/src", "config/local", "test"]

/** Every source file of the project in order, from its root; built files and dependencies are not among them. */
export function sourceFiles(root: string, folders = CODE): string[] {
  return folders
    .flatMap((folder) => filesBelow(join(root, folder)).map((file) => relative(root, file)))
    .sort()
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ["node_modules", "dist"].includes(entry.name) ? [] : filesBelow(path)
    return /\.(ts|mts|js|mjs)$/.test(entry.name) ? [path] : []
  })
}
