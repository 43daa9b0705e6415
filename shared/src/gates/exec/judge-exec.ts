import { compileGlob } from "../../foundation/compile-glob.ts"
import { hasCode } from "../../foundation/errors.ts"
import { escapeText } from "../../foundation/escape-text.ts"
import type { Problem } from "../../foundation/problem.ts"
import type { Tree, TreeFile } from "../../foundation/tree.ts"
import type { FileGate } from "../../settings/gates.ts"
import type { TreeChange } from "../changed-files.ts"
import { refusal } from "../gate-problem.ts"
import type { ReadFiles } from "../judge-files.ts"
import { writeGateFolder } from "./gate-folder.ts"
import { runGateProgram } from "./run-gate-program.ts"

const TIMEOUT_MS = 30_000
const MEMORY_BYTES = 1024 ** 3
const MOST_MESSAGE = 300

/**
 * Runs the programs of gates whose files change, one after the other, each over all files of its glob. What a program
 * wrote is the message; a line such as `jobs/a.yaml:3:5: text` gives the place. Throws `gate/unjudged`, what reading
 * throws, and the signal's reason.
 */
export async function judgeByPrograms(
  gates: readonly FileGate[],
  judged: Judged,
  read: ReadFiles,
  signal: AbortSignal,
): Promise<Problem[]> {
  const { changed, removed } = judged.change
  const touched = [...changed.map(({ after }) => after), ...removed]
  const problems: Problem[] = []
  for (const gate of gates) {
    const { exec: command } = gate
    const glob = compileGlob(gate.glob)
    if (command === undefined || !touched.some(({ path }) => glob.match(path))) continue
    const files = judged.tree.files.filter(({ path }) => glob.match(path))
    problems.push(...(await judgeByProgram({ ...gate, exec: command }, { ...judged, files }, read, signal)))
  }
  return problems
}

interface Judged {
  change: TreeChange
  tree: Tree
  commit: string
}

async function judgeByProgram(
  gate: FileGate & { exec: string[] },
  { files, tree, commit }: Judged & { files: readonly TreeFile[] },
  read: ReadFiles,
  signal: AbortSignal,
): Promise<Problem[]> {
  const { exec: command, timeout = TIMEOUT_MS, memory = MEMORY_BYTES } = gate
  const folder = await writeGateFolder(files, read)
  try {
    const env = { HEADRACE_COMMIT: commit }
    const program = { command, folder: folder.files, scratch: folder.scratch, timeout, memory, env }
    const { refused, output } = await runGateProgram(program, signal)
    return refused === undefined ? [] : [refusedBy(gate, tree, refused, output)]
  } catch (error) {
    if (!hasCode(error, "gate/no-program")) throw error
    const { message, hint } = error
    return [refusal(gate, "gate/no-program", message, hint === undefined ? {} : { hint })]
  } finally {
    await folder.remove()
  }
}

function refusedBy(gate: FileGate, tree: Tree, refused: string, output: string): Problem {
  const lines = output.split("\n").map((line) => line.trim())
  const said = lines.find((line) => line !== "")
  const located = lines.map(placeIn).find((place) => place && hasFile(tree, place.file))
  const text = located?.message ?? said ?? "it wrote nothing"
  const message = `refused with ${refused}: ${escapeText(text).slice(0, MOST_MESSAGE)}`
  const { file, line, column } = located ?? {}
  return refusal(gate, "gate/exec", message, {
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  })
}

function placeIn(
  text: string,
): { file: string; line?: number; column?: number; message: string } | undefined {
  const { file, line, column, message } =
    /^(?:\.\/)?(?<file>[^:\s][^:]*):(?<line>\d+):(?:(?<column>\d+):)?\s*(?<message>.+)$/.exec(text)?.groups ??
    {}
  if (file === undefined || message === undefined) return undefined
  return {
    file,
    message,
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Number(column) }),
  }
}

function hasFile(tree: Tree, file: string): boolean {
  return tree.files.some(({ path }) => path === file)
}
