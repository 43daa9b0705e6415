import type { Problem } from "../foundation/problem.ts"
import type { Tree } from "../foundation/tree.ts"
import type { Plan } from "../plan/plan.ts"
import type { Gates } from "../settings/gates.ts"
import { changedFiles } from "./changed-files.ts"
import { judgeByPrograms } from "./exec/judge-exec.ts"
import type { GateMemory } from "./gate-memory.ts"
import { judgeFiles, type ReadFiles } from "./judge-files.ts"
import { judgeShape } from "./judge-shape.ts"
import { withMovedFiles } from "./moved-files.ts"

/** A commit before the gates of its source. */
export interface JudgedCommit {
  commit: string
  gates: Gates
  /** Its files. */
  after: Tree
  /** The files in force; undefined: nothing is, so that every file is judged, and the shape of the change is not. */
  before: Tree | undefined
  /** What the targets hold and would hold; undefined: it is not known. */
  plans: { before: Plan; after: Plan } | undefined
  /** False for a rebuild of what is not known in full: then its files are judged, and not the shape of the change. */
  isShapeJudged: boolean
}

/**
 * Everything that the gates of a source have against a commit, errors all; none: it may be written. What is in force is
 * not judged again: files by their content, so those that do not change cost nothing. Throws `gate/unjudged` where a
 * program gave no verdict, and what reading throws: then nothing is known, and nothing may be written.
 */
export async function judgeGates(
  judged: JudgedCommit,
  ports: { read: ReadFiles; memory: GateMemory },
  signal: AbortSignal,
): Promise<Problem[]> {
  const { commit, gates, before, after: tree, plans, isShapeJudged } = judged
  const change = changedFiles(before, tree)
  const gate = isShapeJudged ? gates.change : undefined
  const changed = gate ? withMovedFiles(change.changed, plans) : []
  const compared = gate?.emptied === undefined ? [] : changed
  const { problems, emptied } = await judgeFiles(
    gates.files,
    { change, tree },
    { ...ports, compared },
    signal,
  )
  const shape = gate ? judgeShape(gate, { changed, plans, emptied }) : []
  const found = [...shape, ...problems]
  // A program is started when nothing cheaper has refused the commit.
  if (found.length > 0) return found
  return judgeByPrograms(gates.files, { change, tree, commit }, ports.read, signal)
}
