import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import { promisify } from "node:util"
import { UsageError } from "@headrace/shared/foundation/errors"
import { makeFolder } from "@headrace/shared/foundation/make-folder"
import { readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { reportText } from "../check/report.ts"
import { checkSource } from "../check/run.ts"
import { proposeRules, unmatchedFiles } from "./propose-rules.ts"
import { rulesText } from "./rules-text.ts"

export interface InitOptions {
  sourcePath: string
  rules: string
  dryRun: boolean
  defaultCluster: string
  defaultNamespace: string
}

/** Proposes rules, writes and checks them; gives the exit code: 1 when they need a change before they can be used. */
export async function runInit(given: InitOptions, signal: AbortSignal): Promise<number> {
  const options = { ...given, rules: rulesPathBelow(given.sourcePath, given.rules) }
  const { sourcePath, rules, defaultCluster, defaultNamespace } = options
  const { proposed, leftOut } = await propose(options, signal)
  const text = rulesText(proposed, { cluster: defaultCluster, namespace: defaultNamespace }, leftOut)
  if (options.dryRun) {
    process.stdout.write(text)
    return 0
  }
  const file = join(sourcePath, rules)
  await writeNew(file, text)
  const report = await checkSource(
    [sourcePath],
    { ...CHECK, defaultCluster, defaultNamespace, rules: file },
    signal,
  )
  process.stdout.write(
    `${file}: ${proposed.length} ${proposed.length === 1 ? "rule" : "rules"}\n${reportText(report)}${nextSteps(options, await branchOf(sourcePath, signal))}`,
  )
  return report.problems.some(({ severity }) => severity === "error") ? 1 : 0
}

/**
 * The rules' path below the repository: an absolute path of a place inside of it as well as a path from its top. Rules
 * outside would be in no commit. Throws UsageError `init/rules-path`.
 */
function rulesPathBelow(sourcePath: string, rules: string): string {
  const inside = relative(resolve(sourcePath), resolve(sourcePath, rules))
  if (inside !== "" && inside !== ".." && !inside.startsWith("../") && !isAbsolute(inside)) return inside
  throw new UsageError("init/rules-path", `--rules ${rules} is no path of a file below ${sourcePath}`, {
    hint: "Give the path that the rules are to have in the repository, such as config/plugins.yaml.",
  })
}

const CHECK = { otherRules: [] as string[], strict: false, prow: false, output: "text" } as const

async function propose({ sourcePath, rules }: InitOptions, signal: AbortSignal) {
  const tree = await readFolderTree([sourcePath], signal)
  try {
    const proposed = proposeRules(tree.tree.files, rules)
    if (proposed.length > 0) return { proposed, leftOut: unmatchedFiles(tree.tree.files, proposed, rules) }
    throw new UsageError("init/no-files", `there is no file in ${sourcePath} that a rule could name`, {
      hint: "Give the folder of a repository with configuration; files that are not committed do not count.",
    })
  } finally {
    await tree.close()
  }
}

async function writeNew(file: string, text: string): Promise<void> {
  await makeFolder(dirname(file)).catch((cause: unknown) => {
    throw unwritable(file, cause)
  })
  try {
    await writeFile(file, text, { flag: "wx" })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === "EEXIST") {
      throw new UsageError("init/exists", `${file} exists`, {
        hint: "Give another file with --rules, or print the proposal with --dry-run.",
      })
    }
    throw unwritable(file, cause)
  }
}

function unwritable(file: string, cause: unknown): UsageError {
  const hint = "Give --rules a path that can be written, or print the proposal with --dry-run."
  return new UsageError("init/unwritable", `${file} cannot be written`, { hint, cause })
}

function nextSteps({ sourcePath, rules }: InitOptions, branch: string): string {
  const repository = resolve(sourcePath)
  return `
Next, in ${repository}:
  git add ${rules} && git commit -m "Add rules for Headrace"
and see it on this machine, from a clone of Headrace:
  npm run up -- --repo ${repository} --branch ${branch} --rules ${rules} --target /tmp/node --guard
`
}

/** The branch that is checked out, or "main" where none is. */
async function branchOf(folder: string, signal: AbortSignal): Promise<string> {
  try {
    const run = promisify(execFile)
    const { stdout } = await run("git", ["-C", folder, "symbolic-ref", "--short", "HEAD"], { signal })
    return stdout.trim()
  } catch {
    return "main"
  }
}
