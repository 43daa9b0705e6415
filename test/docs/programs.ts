import { chmod, mkdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { installPacked, packPrograms } from "../deployment/packed-programs.ts"
import { programArguments } from "../harness/program-arguments.ts"
import { withFolder } from "../harness/with-folder.ts"

const ROOT = join(import.meta.dirname, "../..")
const NAMES = ["plugin", "bootstrapper", "agent"] as const
const UP = `node --conditions=source --no-warnings '${ROOT}/config/local/`
/** What the reader's shell does not have, and makes programs start as quickly as in other tests. */
const QUICK_START = ["HEADRACE_TEST_PROGRAMS", "NODE_COMPILE_CACHE"]
  .map((name) => `${name}='${process.env[name] ?? ""}' `)
  .join("")

/** The long form: packed programs, and npm's own scripts with their build. */
export const isLongForm = process.env.HEADRACE_DOCS === "long"

/** Folder with the programs of a reader's PATH: as other tests run them, or in the long form unpacked as npm would. */
export async function withPrograms<T>(use: (bin: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const bin = join(folder, "bin")
    await mkdir(bin)
    await symlink(process.execPath, join(bin, "node"))
    await writeProgram(bin, "npx", 'exec "$@"')
    if (isLongForm) await writePacked(folder, bin)
    else await writeSources(bin)
    return use(bin)
  })
}

async function writePacked(folder: string, bin: string): Promise<void> {
  await installPacked(folder, await packPrograms(folder, NAMES))
  for (const name of NAMES) {
    const program = join(folder, "node_modules/@headrace", name, `bin/headrace-${name}.js`)
    await writeProgram(bin, `headrace-${name}`, `exec node '${program}' "$@"`)
  }
}

/** `npm run NAME` as package.json has it, without the build: the sources run as they are. */
async function writeSources(bin: string): Promise<void> {
  for (const name of NAMES) {
    const program = programArguments(name).map((word) => `'${word}'`)
    await writeProgram(bin, `headrace-${name}`, `${QUICK_START}exec node ${program.join(" ")} "$@"`)
  }
  await writeProgram(
    bin,
    "npm",
    `[ "$1" = run ] || exit 99; shift
[ "$1" = -s ] && shift
name=$1; shift
[ "$1" = -- ] && shift
case $name in
  up|demo) ${QUICK_START}exec ${UP}'$name.ts "$@";;
  *) exec headrace-$name "$@";;
esac`,
  )
}

async function writeProgram(bin: string, name: string, text: string): Promise<void> {
  const file = join(bin, name)
  await writeFile(file, `#!/bin/sh\n${text}\n`)
  await chmod(file, 0o755)
}
