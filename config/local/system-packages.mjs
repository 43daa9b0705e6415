import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"

/** How each system's package manager installs, by the command that is found on PATH. */
const MANAGERS = [
  {
    command: "apt-get",
    steps: [
      ["update", "-qq"],
      ["install", "-y", "-qq", "--no-install-recommends"],
    ],
  },
  { command: "dnf", steps: [["install", "-y", "-q"]] },
  { command: "apk", steps: [["add", "--quiet"]] },
]

/**
 * The commands that install packages: `packages` gives their names by package manager. Undefined where there is no
 * package manager that we know or we are not root: never through sudo.
 */
export function installCommands(packages) {
  const manager = MANAGERS.find(({ command }) => findOnPath(command))
  const names = manager && packages[manager.command]
  if (!names || process.getuid?.() !== 0) return undefined
  const { command, steps } = manager
  return steps.map((step, index) => [command, ...step, ...(index === steps.length - 1 ? names : [])])
}

/** The path of a program, in the folders of PATH or else in `others`. */
export function findOnPath(program, others = []) {
  return [...(process.env.PATH ?? "").split(delimiter), ...others]
    .map((folder) => executable(join(folder, program)))
    .find(Boolean)
}

/** The path, when it can be run. */
export function executable(path) {
  try {
    accessSync(path, constants.X_OK)
    return path
  } catch {
    return undefined
  }
}
