import type { ModelRepository } from "./model-repository.ts"
import { RULE_TEXTS, RULES_PATH, TOOL_RULE_TEXTS } from "./model-rules.ts"
import type { Edit, Op } from "./schedule.ts"
import type { Source, World } from "./world.ts"

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
  { op: "commit" | "rename" | "revert" | "foxtrot" | "rewrite" | "tool" | "rewriteRules" }
>

/** Moves a branch, and sends a wake-up about it to every cluster. */
export function playGit(world: World, op: GitOp): void {
  const { release, tools } = world.repositories
  if (op.op === "commit") {
    advance(world, "release", edited(world, release.tip(), op.edits, op.rules))
  } else if (op.op === "rename") {
    advance(world, "release", renamed(world, op.path, op.to))
  } else if (op.op === "revert") {
    world.tally.count("merge: reverts to earlier content")
    advance(world, "release", new Map(release.filesAt(back(release, op.back + 1))))
  } else if (op.op === "foxtrot") {
    foxtrot(world, op.back, op.edits)
  } else if (op.op === "rewrite") {
    rewrite(world, op.back, op.commits)
  } else if (op.op === "rewriteRules") {
    world.tally.count("force-push: of the rules' own branch")
    changeToolRules(world, back(world.rules.tools, op.back + 1), op.rules)
  } else if (op.rules >= 0) {
    changeToolRules(world, world.rules.tools.tip(), op.rules)
  } else {
    advance(world, "tools", new Map(tools.filesAt(tools.tip())).set("t/0.txt", `v${op.content}`))
  }
}

/** The commit so many first parents before the tip, or the first one. */
export function back(repository: ModelRepository, count: number): string {
  let commit = repository.tip()
  for (let step = 0; step < count; step++) commit = repository.parentsOf(commit)[0] ?? commit
  return commit
}

function advance(world: World, source: Source, files: Map<string, string>): void {
  const repository = world.repositories[source]
  repository.push(repository.add([repository.tip()], files))
  announce(world, source)
}

function announce(world: World, source: Source): void {
  for (const cluster of world.clusters) world.deliveries.push({ cluster, source })
}

function changeToolRules(world: World, parent: string, rules: number): void {
  const repository = world.rules.tools
  const files = new Map([[RULES_PATH, TOOL_RULE_TEXTS[rules] ?? ""]])
  world.tally.count("merge: changes rules in another repository")
  repository.push(repository.add([parent], files))
  announce(world, "tools")
}

/** A fast-forward whose old tip is the second parent: its first-parent count is smaller than before. */
function foxtrot(world: World, count: number, edits: Edit[]): void {
  const { release } = world.repositories
  const base = back(release, count)
  const side = release.add([base], edited(world, base, edits, -1))
  world.tally.count("merge: foxtrot")
  release.push(release.add([side, release.tip()], edited(world, release.tip(), edits, -1)))
  announce(world, "release")
}

/** A force-push: shorter, equal or longer than what it replaces. */
function rewrite(world: World, count: number, commits: Edit[][]): void {
  const { release } = world.repositories
  const old = release.tip()
  let tip = back(release, count)
  for (const edits of commits) tip = release.add([tip], edited(world, tip, edits, -1))
  const longer = release.countOf(tip) - release.countOf(old)
  if (!release.hasAncestor(tip, old)) {
    world.tally.count(`force-push: ${longer < 0 ? "shorter" : longer > 0 ? "longer" : "equal"}`)
  }
  release.push(tip)
  announce(world, "release")
}

function edited(world: World, commit: string, edits: Edit[], rules: number): Map<string, string> {
  const files = new Map(world.repositories.release.filesAt(commit))
  for (const edit of edits) world.tally.count(`merge: ${applyEdit(files, edit)}`)
  if (rules >= 0) {
    const text = RULE_TEXTS[rules] ?? ""
    const bad = rules === RULE_TEXTS.length - 1
    world.tally.count(bad ? "merge: rules that do not parse" : "merge: changes rules")
    files.set(RULES_PATH, text)
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
  files.set(name, `v${Math.max(0, content)}`)
  return known ? "edits" : "adds"
}

function renamed(world: World, path: number, to: number): Map<string, string> {
  const { release } = world.repositories
  const files = new Map(release.filesAt(release.tip()))
  const from = PATHS[path] ?? "a/0.txt"
  const content = files.get(from)
  const target = `${FOLDERS[to] ?? "a"}${from.slice(from.indexOf("/"))}`
  if (content === undefined || target === from || content.startsWith("-> ")) return files
  world.tally.count("merge: renames across rules")
  files.delete(from)
  return files.set(target, content)
}
