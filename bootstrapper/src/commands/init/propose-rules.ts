import { compareText } from "@headrace/shared/foundation/canonical-json"
import { CONFIG_MAP_LIMIT_BYTES } from "@headrace/shared/foundation/config-map"
import type { TreeFile } from "@headrace/shared/foundation/tree"
import { illegalKey } from "@headrace/shared/plan/legal-name"

/** A rule as `init` proposes it, with what was found in its folder. */
export interface ProposedRule {
  glob: string
  /** One name, or those of the partitions. */
  names: readonly string[]
  fullPathAsKey: boolean
  /** False: for agents alone, at any size. */
  view: boolean
  files: number
  bytes: number
  /** Sentences: why it is as it is, and what to do. */
  notes: readonly string[]
}

/** Below this a ConfigMap has room to grow; partitions are made so that each stays below it. */
const COMFORTABLE_BYTES = CONFIG_MAP_LIMIT_BYTES / 2
const MOST_PARTITIONS = 16
/** Documents and build files beside configuration, which no program mounts. */
const NOT_CONFIGURATION =
  /^(readme|license|licence|notice|changelog|contributing|owners|makefile|dockerfile)(\.(md|txt|rst|adoc))?$/i
/** Of more folders below one, such as one for each team, a single rule takes all: a rule for each would grow with them. */
const MOST_SIBLINGS = 8
const LONGEST_NAME = 200

/**
 * Proposes a rule for each folder that holds files itself or in deeper ones, the nearest to the top that has any: pure, by
 * paths and sizes alone. Hidden files and folders, documents such as README, and `skip` (the rules) get no rule of their own.
 */
export function proposeRules(files: readonly TreeFile[], skip: string): ProposedRule[] {
  const wanted = files.filter(({ path }) => path !== skip && isConfiguration(path))
  const filled = new Set(wanted.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))))
  const groups = joinSiblings(Map.groupBy(wanted, ({ path }) => groupOf(path, filled)))
  const used = new Set<string>()
  return [...groups.keys()].sort(compareText).map((glob) => {
    // A document in the folder of others is matched, too.
    const matched = files.filter(({ path }) => path !== skip && isMatched(path, glob))
    const rule = proposeRule(glob, matched, used)
    return isMatched(skip, glob) ? { ...rule, notes: [...rule.notes, itself(skip)] } : rule
  })
}

/** No glob leaves one file out, and the rules hold no secret: who does not want them there moves them. */
function itself(rules: string): string {
  return `${rules} matches, too: to leave it out, keep it in a folder that no rule names.`
}

/** The files that no rule of the proposal matches: hidden ones and documents outside of its folders. */
export function unmatchedFiles(
  files: readonly TreeFile[],
  rules: readonly ProposedRule[],
  skip: string,
): string[] {
  const isLeft = (path: string) => path !== skip && !rules.some(({ glob }) => isMatched(path, glob))
  return files.map(({ path }) => path).filter(isLeft)
}

/** As the matcher of rules has it, for the three forms of globs that are proposed. */
function isMatched(path: string, glob: string): boolean {
  if (glob.endsWith("/**/*")) return path.startsWith(glob.slice(0, -"**/*".length))
  if (glob.startsWith("*")) return !path.includes("/") && path.endsWith(glob.slice(1))
  return path === glob
}

function isConfiguration(path: string): boolean {
  const parts = path.split("/")
  return !parts.some((part) => part.startsWith(".")) && !NOT_CONFIGURATION.test(parts.at(-1) ?? "")
}

/** The glob that a file is of; `filled` are the folders with files of their own: of its topmost folder with files of its own, or of its extension at the top. */
function groupOf(path: string, filled: ReadonlySet<string>): string {
  const parts = path.split("/")
  if (parts.length === 1) {
    const dot = path.lastIndexOf(".")
    return dot > 0 ? `*${path.slice(dot)}` : path
  }
  const folders = parts.slice(0, -1)
  for (let depth = 1; depth < folders.length; depth++) {
    const folder = folders.slice(0, depth).join("/")
    if (filled.has(folder)) return `${folder}/**/*`
  }
  return `${folders.join("/")}/**/*`
}

/** Joins the groups below a folder that has many of them, the deepest such folder first. */
function joinSiblings(groups: ReadonlyMap<string, TreeFile[]>): Map<string, TreeFile[]> {
  const joined = new Map(groups)
  const folders = [...new Set([...groups.keys()].flatMap(foldersAbove))]
  for (const folder of folders.sort((a, b) => depthOf(b) - depthOf(a) || compareText(a, b))) {
    const below = [...joined].filter(([glob]) => glob.startsWith(`${folder}/`))
    if (below.length <= MOST_SIBLINGS) continue
    for (const [glob] of below) joined.delete(glob)
    joined.set(
      `${folder}/**/*`,
      below.flatMap(([, files]) => files),
    )
  }
  return joined
}

/** `a` and `a/b` for `a/b/c/**\/*`. */
function foldersAbove(glob: string): string[] {
  const parts = glob.replace(/\/\*\*\/\*$/, "").split("/")
  return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("/"))
}

function depthOf(folder: string): number {
  return folder.split("/").length
}

function proposeRule(glob: string, files: readonly TreeFile[], used: Set<string>): ProposedRule {
  const notes: string[] = []
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const largest = files.reduce((most, { size }) => Math.max(most, size), 0)
  const fullPathAsKey = new Set(files.map(({ path }) => baseName(path))).size < files.length
  if (fullPathAsKey) notes.push("Files of several folders have one name, so the whole path is the key.")
  const wrong = files.filter(({ path }) => illegalKey(keyOf(path, fullPathAsKey)) !== undefined)
  if (wrong.length > 0) {
    notes.push(
      `Rename ${wrong.length} of them, such as ${JSON.stringify(wrong[0]?.path)}: Kubernetes refuses such a key.`,
    )
  }
  const partitions = Math.ceil(bytes / COMFORTABLE_BYTES)
  const view = largest <= COMFORTABLE_BYTES && partitions <= MOST_PARTITIONS
  if (!view) notes.push("Too large for ConfigMaps, which end at 1 MiB: agents alone show these files.")
  else if (partitions > 1) notes.push(`Near the 1 MiB of a ConfigMap, so ${partitions} share the keys.`)
  const name = uniqueName(glob, used)
  const names =
    view && partitions > 1 ? Array.from({ length: partitions }, (_, at) => `${name}-${at}`) : [name]
  return { glob, names, fullPathAsKey, view, files: files.length, bytes, notes }
}

function keyOf(path: string, fullPathAsKey: boolean): string {
  return fullPathAsKey ? path.replaceAll("/", "-") : baseName(path)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1)
}

/** A name that Kubernetes takes (RFC 1123), from the folder or the extension, with a number where it is taken. */
function uniqueName(glob: string, used: Set<string>): string {
  const plain = glob
    .replace(/\/\*\*\/\*$/, "")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, LONGEST_NAME)
  const base = plain === "" ? "config" : plain
  let name = base
  for (let number = 2; used.has(name); number++) name = `${base}-${number}`
  used.add(name)
  return name
}
