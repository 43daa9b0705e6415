import { posix } from "node:path"
import { compileGlob } from "../foundation/compile-glob.ts"
import type { LocatedYaml } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import type { Tree, TreeFile } from "../foundation/tree.ts"
import type { FileGate } from "../settings/gates.ts"
import type { TreeChange } from "./changed-files.ts"
import { refusal } from "./gate-problem.ts"

/** True for what Prow loads as jobs: `.yaml` and `.yml`, outside folders that begin with `..`, as the kubelet's do. */
export function isProwJobFile(path: string): boolean {
  return /\.ya?ml$/.test(path) && !path.split("/").some((part) => part.startsWith(".."))
}

/**
 * New files whose name another file of the glob has, in whatever folder: Prow loads none of the jobs then ("duplicated
 * basename is not allowed", prow pkg/config/config.go), and ConfigMaps keyed by the name lose one of the two. What is
 * in force twice already is not judged again. Pure.
 */
export function duplicateNames(gate: FileGate, change: TreeChange, tree: Tree): Problem[] {
  const glob = compileGlob(gate.glob)
  const isJudged = ({ path }: TreeFile) => isProwJobFile(path) && glob.match(path)
  const added = change.changed.filter(({ before, after }) => before === undefined && isJudged(after))
  if (added.length === 0) return []
  const names = new Set(added.map(({ after }) => posix.basename(after.path)))
  const same = tree.files.filter((file) => names.has(posix.basename(file.path)) && isJudged(file))
  const byName = Map.groupBy(same, ({ path }) => posix.basename(path))
  const first = new Set<string>()
  return added.flatMap(({ after: { path: file } }) => {
    const name = posix.basename(file)
    const others = (byName.get(name) ?? []).map(({ path }) => path).filter((path) => path !== file)
    if (others.length === 0 || first.has(name)) return []
    first.add(name)
    const message = `the file name ${JSON.stringify(name)} is there ${others.length + 1} times: ${others.join(", ")} too; Prow refuses such jobs`
    return [refusal(gate, "gate/duplicate-name", message, { file, line: 1, column: 1 })]
  })
}

/** What Prow would not read as jobs: no mapping at the top, or what is not in the first document, which Prow ignores. Pure. */
export function jobFileProblems(gate: FileGate, file: string, documents: readonly LocatedYaml[]): Problem[] {
  const filled = documents.filter(({ value }) => value !== null && value !== undefined)
  const [first, second] = filled
  if (first === undefined) return []
  const { value } = first
  if (typeof value !== "object" || Array.isArray(value)) {
    const what = Array.isArray(value) ? "a list" : typeof value === "object" ? "nothing" : `a ${typeof value}`
    const message = `a mapping is expected at the top, with presubmits, postsubmits, periodics or presets; it is ${what}`
    return [refusal(gate, "gate/no-jobs", message, { file, ...first.positionOf([]) })]
  }
  const unread = first === documents[0] ? second : first
  if (unread === undefined) return []
  const message = "there is a second document, and Prow reads the first alone"
  return [refusal(gate, "gate/no-jobs", message, { file, ...unread.positionOf([]) })]
}
