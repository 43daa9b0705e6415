import { setImmediate } from "node:timers/promises"
import { compileGlob } from "../foundation/compile-glob.ts"
import { HeadraceError, hasCode } from "../foundation/errors.ts"
import type { LocatedYaml } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import { findSorted } from "../foundation/sorted-list.ts"
import type { Tree, TreeFile } from "../foundation/tree.ts"
import type { FileGate } from "../settings/gates.ts"
import type { FileChange, TreeChange } from "./changed-files.ts"
import { compileSchema, type Validate } from "./compile-schema.ts"
import { type EmptiedField, emptiedFields } from "./emptied-fields.ts"
import type { GateMemory } from "./gate-memory.ts"
import { refusal } from "./gate-problem.ts"
import { parsedOr } from "./judge-parse.ts"
import { duplicateNames, isProwJobFile, jobFileProblems } from "./judge-prow-jobs.ts"
import { schemaViolations } from "./judge-schema.ts"
import { type Format, formatOfPath } from "./read-document.ts"

/** Reads contents by their files, in that order. */
export type ReadFiles = (files: readonly TreeFile[]) => Promise<Buffer[]>

export interface JudgedFiles {
  problems: Problem[]
  /** Fields that have no value any more, by file. */
  emptied: Map<string, EmptiedField[]>
}

/** The event loop is kept no longer at a time than this and one file. */
const TURN_MS = 20
/** So many bytes of files are in memory together. */
const BATCH_BYTES = 32 * 1024 * 1024

/**
 * Judges files by the gates that read them (parse, schema, builtin); programs are judged by judge-exec.ts. Of a gate whose
 * schema has changed every file of its glob is judged, otherwise the changed ones. Files of `compared` that are read are
 * compared with what they were, too. Other work of the process, such as renewing a lock, gets its turn between files.
 * Throws what reading throws, and the signal's reason.
 */
export async function judgeFiles(
  gates: readonly FileGate[],
  { change, tree }: { change: TreeChange; tree: Tree },
  ports: { read: ReadFiles; memory: GateMemory; compared: readonly FileChange[] },
  signal: AbortSignal,
): Promise<JudgedFiles> {
  const problems: Problem[] = []
  const readers: Reader[] = []
  for (const gate of gates.filter(({ exec }) => exec === undefined)) {
    if (gate.builtin === "prow-jobs") problems.push(...duplicateNames(gate, change, tree))
    readers.push(await readerOf(gate, { change, tree }, ports))
  }
  const found: JudgedFiles = {
    problems: [...problems, ...readers.flatMap(({ problem }) => problem ?? [])],
    emptied: new Map(),
  }
  for (const batch of batches(workOf(readers, change, ports.compared))) {
    const contents = await ports.read(batch.flatMap(({ file, before }) => (before ? [file, before] : [file])))
    await judgeBatch(batch, contents, found, signal)
  }
  return found
}

/** Adds what is wrong with the files of a batch, whose contents come in their order, each with what it was. */
async function judgeBatch(
  batch: readonly FileWork[],
  contents: readonly Buffer[],
  { problems, emptied }: JudgedFiles,
  signal: AbortSignal,
): Promise<void> {
  let at = 0
  let since = performance.now()
  for (const one of batch) {
    if (performance.now() - since > TURN_MS) {
      await setImmediate()
      signal.throwIfAborted()
      since = performance.now()
    }
    const content = contents[at++] ?? Buffer.alloc(0)
    const was = one.before ? contents[at++] : undefined
    const judged = judgeFile(one, content, was)
    problems.push(...judged.problems)
    if (judged.emptied.length > 0) emptied.set(one.file.path, judged.emptied)
  }
}

/** A gate with what it needs to judge files. */
interface Reader {
  gate: FileGate
  matches(path: string): boolean
  /** Every file that it judges beside the changed ones. */
  more: readonly TreeFile[]
  validate?: Validate
  /** Why it can judge nothing. */
  problem?: Problem
}

async function readerOf(
  gate: FileGate,
  { change, tree }: { change: TreeChange; tree: Tree },
  ports: { read: ReadFiles; memory: GateMemory },
): Promise<Reader> {
  const glob = compileGlob(gate.glob)
  const matches = (path: string) =>
    (gate.builtin !== "prow-jobs" || isProwJobFile(path)) && glob.match(path) && path !== gate.schema
  const { schema } = gate
  const judgesAny = change.changed.some(({ after }) => matches(after.path))
  const isChanged =
    schema !== undefined &&
    [...change.changed.map(({ after }) => after), ...change.removed].some(({ path }) => path === schema)
  if (schema === undefined || !(judgesAny || isChanged)) return { gate, matches, more: [] }
  const more = isChanged ? tree.files.filter(({ path }) => matches(path)) : []
  const file = findSorted(tree.files, ({ path }) => path, schema)
  if (file === undefined) {
    const message = `there is no JSON Schema ${schema} at this commit`
    return { gate, matches, more: [], problem: refusal(gate, "gate/bad-schema", message, { file: schema }) }
  }
  try {
    return { gate, matches, more, validate: await compiled(file, schema, ports) }
  } catch (error) {
    if (!hasCode(error, "gate/bad-schema")) throw error
    const problem = refusal(gate, "gate/bad-schema", error.message, { file: schema })
    return { gate, matches, more: [], problem }
  }
}

async function compiled(
  file: TreeFile,
  path: string,
  { read, memory }: { read: ReadFiles; memory: GateMemory },
): Promise<Validate> {
  const key = `${file.oid} ${path}`
  const known = memory.schemas.get(key)
  if (known) return known
  const [content] = await read([file])
  const validate = await compileSchema(content ?? Buffer.alloc(0), path)
  memory.schemas.set(key, validate)
  return validate
}

interface FileWork {
  file: TreeFile
  before: TreeFile | undefined
  readers: Reader[]
}

function workOf(readers: readonly Reader[], change: TreeChange, compared: readonly FileChange[]): FileWork[] {
  const before = new Map(compared.map((one) => [one.after.path, one.before]))
  const work = new Map<string, FileWork>()
  for (const reader of readers.filter(({ problem }) => problem === undefined)) {
    const changed = change.changed.map(({ after }) => after).filter(({ path }) => reader.matches(path))
    for (const file of new Set([...changed, ...reader.more])) {
      const known = work.get(file.path)
      if (known) known.readers.push(reader)
      else work.set(file.path, { file, before: before.get(file.path), readers: [reader] })
    }
  }
  return [...work.values()]
}

function batches(work: readonly FileWork[]): FileWork[][] {
  const all: FileWork[][] = []
  let [batch, bytes]: [FileWork[], number] = [[], 0]
  for (const one of work) {
    const size = one.file.size + (one.before?.size ?? 0)
    if (batch.length > 0 && bytes + size > BATCH_BYTES) {
      all.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(one)
    bytes += size
  }
  return batch.length > 0 ? [...all, batch] : all
}

function judgeFile(
  { file, readers }: FileWork,
  content: Buffer,
  before: Buffer | undefined,
): { problems: Problem[]; emptied: EmptiedField[] } {
  const { path } = file
  const problems: Problem[] = []
  const read = new Map<Format, LocatedYaml[]>()
  for (const { gate, validate } of readers) {
    const format = gate.parse ?? formatOfPath(path)
    const known = read.get(format)
    const parsed = known ? { documents: known } : parsedOr(gate, { path, content, format })
    if ("problem" in parsed) return { problems: [...problems, parsed.problem], emptied: [] }
    const { documents } = parsed
    read.set(format, documents)
    if (gate.builtin === "prow-jobs") problems.push(...jobFileProblems(gate, path, documents))
    if (validate) problems.push(...violations(gate, path, documents, validate))
  }
  const [first] = read
  if (first === undefined || before === undefined) return { problems, emptied: [] }
  const [format, documents] = first
  const was = parsedOr(readers[0]?.gate ?? { glob: path }, { path, content: before, format })
  return { problems, emptied: "documents" in was ? emptiedFields(was.documents, documents) : [] }
}

function violations(
  gate: FileGate,
  path: string,
  documents: readonly LocatedYaml[],
  validate: Validate,
): Problem[] {
  try {
    return schemaViolations(gate, path, documents, validate)
  } catch (error) {
    if (!(error instanceof HeadraceError) || error.code !== "gate/bad-schema") throw error
    return [refusal(gate, "gate/bad-schema", error.message, { file: path })]
  }
}
