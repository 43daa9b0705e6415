import type { Edit } from "./edit.ts"
import { type ModelRepository, POINTER } from "./model-repository.ts"
import {
  BAD_RULES,
  MANY_FOLDERS,
  MANY_RULES,
  RULE_TEXTS,
  RULES_PATH,
  TOOL_RULE_TEXTS,
} from "./model-rules.ts"
import type { Source } from "./model-sources.ts"
import type { Op } from "./schedule.ts"
import type { Simulation } from "./simulation.ts"

const PATHS = [
  "a/0.txt",
  "a/1.txt",
  "a/2.txt",
  "b/0.txt",
  "b/1.txt",
  "b/2.txt",
  "c/0.txt",
  "a/link.txt",
  "d/0.txt",
]
const FOLDERS = ["a", "b", "c", "d"]
const LINKED = "b/1.txt"

/** The ops that move a branch. */
export type GitOp = Extract<
  Op,
  { op: "commit" | "rename" | "revert" | "foxtrot" | "rewrite" | "tool" | "rewriteRules" | "skew" }
>

/** Moves a branch, and sends a wake-up about it to every cluster. */
export function playGit(simulation: Simulation, op: GitOp): void {
  const { release, tools } = simulation.repositories
  if (op.op === "commit") {
    advance(simulation, "release", edited(simulation, release.tip(), op.edits, op.rules))
  } else if (op.op === "rename") {
    advance(simulation, "release", renamed(simulation, op.path, op.to))
  } else if (op.op === "revert") {
    simulation.tally.count("merge: reverts to earlier content")
    advance(simulation, "release", new Map(release.rawAt(back(release, op.back + 1))))
  } else if (op.op === "foxtrot") {
    foxtrot(simulation, op.back, op.edits)
  } else if (op.op === "rewrite") {
    rewrite(simulation, op.back, op.commits)
  } else if (op.op === "skew") {
    skew(simulation, op)
  } else if (op.op === "rewriteRules") {
    simulation.tally.count("force-push: of the rules' own branch")
    changeToolRules(simulation, back(simulation.rules.tools, op.back + 1), op.rules)
  } else if (op.rules >= 0) {
    changeToolRules(simulation, simulation.rules.tools.tip(), op.rules)
  } else {
    advance(simulation, "tools", new Map(tools.filesAt(tools.tip())).set("t/0.txt", `v${op.content}`))
  }
}

/** The commit so many first parents before the tip, or the first one. */
export function back(repository: ModelRepository, count: number): string {
  let commit = repository.tip()
  for (let step = 0; step < count; step++) commit = repository.parentsOf(commit)[0] ?? commit
  return commit
}

function advance(simulation: Simulation, source: Source, files: Map<string, string>): void {
  const repository = simulation.repositories[source]
  repository.push(repository.add([repository.tip()], files))
  announce(simulation, source)
}

function announce(simulation: Simulation, source: Source): void {
  for (const cluster of simulation.clusters) simulation.deliveries.push({ cluster, source })
}

function changeToolRules(simulation: Simulation, parent: string, rules: number): void {
  const repository = simulation.rules.tools
  const files = new Map([[RULES_PATH, TOOL_RULE_TEXTS[rules] ?? ""]])
  simulation.tally.count("merge: changes rules in another repository")
  repository.push(repository.add([parent], files))
  announce(simulation, "tools")
}

/** A fast-forward whose old tip is the second parent: its first-parent count is smaller than before. */
function foxtrot(simulation: Simulation, count: number, edits: Edit[]): void {
  const { release } = simulation.repositories
  const base = back(release, count)
  const side = release.add([base], edited(simulation, base, edits, -1))
  simulation.tally.count("merge: foxtrot")
  release.push(release.add([side, release.tip()], edited(simulation, release.tip(), edits, -1)))
  announce(simulation, "release")
}

/** Commits by clocks that are behind, and then a merge of a branch that began before them. */
function skew(simulation: Simulation, { commits, minutes, edits }: Extract<Op, { op: "skew" }>): void {
  const { release } = simulation.repositories
  const base = release.tip()
  let tip = base
  for (let count = 0; count < commits; count++) tip = release.add([tip], release.rawAt(tip), minutes)
  const side = release.add([base], edited(simulation, base, edits, -1))
  simulation.tally.count("merge: of commits whose clocks are behind")
  release.push(release.add([tip, side], edited(simulation, tip, edits, -1), minutes))
  announce(simulation, "release")
}

/** A force-push: shorter, equal or longer than what it replaces. */
function rewrite(simulation: Simulation, count: number, commits: Edit[][]): void {
  const { release } = simulation.repositories
  const old = release.tip()
  let tip = back(release, count)
  for (const edits of commits) tip = release.add([tip], edited(simulation, tip, edits, -1))
  const longer = release.countOf(tip) - release.countOf(old)
  if (!release.hasAncestor(tip, old)) {
    simulation.tally.count(`force-push: ${longer < 0 ? "shorter" : longer > 0 ? "longer" : "equal"}`)
  }
  release.push(tip)
  announce(simulation, "release")
}

function edited(simulation: Simulation, commit: string, edits: Edit[], rules: number): Map<string, string> {
  const files = new Map(simulation.repositories.release.rawAt(commit))
  for (const edit of edits) simulation.tally.count(`merge: ${applyEdit(files, edit)}`)
  if (rules >= 0) {
    const text = RULE_TEXTS[rules] ?? ""
    const bad = text === BAD_RULES
    simulation.tally.count(bad ? "merge: rules that do not parse" : "merge: changes rules")
    files.set(RULES_PATH, text)
    if (text === MANY_RULES) for (const folder of MANY_FOLDERS) files.set(`${folder}/0.txt`, "v0")
  }
  return files
}

/** Gives what it did, in words. */
function applyEdit(files: Map<string, string>, { path, content }: Edit): string {
  const name = PATHS[path] ?? "a/0.txt"
  if (content === -1) return files.delete(name) ? "deletes" : "changes nothing"
  if (content === -2 && name !== LINKED) {
    files.set(name, `-> ${LINKED}`)
    return "makes a symbolic link"
  }
  const known = files.has(name)
  if (content === -3) {
    files.set(name, POINTER)
    return "makes a Git LFS pointer"
  }
  if (content === -4) {
    files.set(name, "")
    return known ? "empties" : "adds an empty file"
  }
  files.set(name, `v${Math.max(0, content)}`)
  return known ? "edits" : "adds"
}

function renamed(simulation: Simulation, path: number, to: number): Map<string, string> {
  const { release } = simulation.repositories
  const files = new Map(release.rawAt(release.tip()))
  const from = PATHS[path] ?? "a/0.txt"
  const content = files.get(from)
  const target = `${FOLDERS[to] ?? "a"}${from.slice(from.indexOf("/"))}`
  if (content === undefined || target === from || content.startsWith("-> ")) return files
  simulation.tally.count("merge: renames across rules")
  files.delete(from)
  return files.set(target, content)
}
