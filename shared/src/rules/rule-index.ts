import type { Minimatch } from "minimatch"
import { compileGlob } from "../foundation/compile-glob.ts"
import type { Rule } from "./rule.ts"
import { mayHaveMatched } from "./unreadable-names.ts"

/** Rules that can be asked for by path. Compile once, ask often. */
export interface RuleIndex {
  /** The rule that a path belongs to: of those that match, the first in declared order. */
  first(path: string): Rule | undefined
  /** All rules that match a path, in declared order. */
  all(path: string): Rule[]
  /** All rules that match a path or could match one beneath it, in declared order. Tries each rule. */
  reaching(path: string): Rule[]
  /**
   * The rules that a path with a name that is no UTF-8 may belong to, in declared order up to one that matches it whatever
   * that name is; with `beneath` all that could match one beneath it. Tries each rule.
   */
  perhaps(path: string, beneath: boolean): Rule[]
}

/** So many folders are remembered: paths come in order, so that those of one folder come together. */
const MOST_FOLDERS = 20_000

interface Candidate {
  order: number
  rule: Rule
  glob: Minimatch
  /** Occurs in every path that the glob matches. */
  needle: string
}

/**
 * Indexes rules by the folder that a glob's literal beginning names, so that a path is only tried against
 * globs that begin in one of its own folders: a few, where the rules are many.
 */
export function indexRules(rules: readonly Rule[]): RuleIndex {
  const byPrefix = new Map<string, Candidate[]>()
  const everyGlob: Candidate[] = []
  rules.forEach((rule, order) => {
    const prefix = literalFolder(rule.glob)
    const candidate = { order, rule, glob: compileGlob(rule.glob), needle: literalRun(rule.glob) }
    everyGlob.push(candidate)
    const others = byPrefix.get(prefix)
    if (others) others.push(candidate)
    else byPrefix.set(prefix, [candidate])
  })
  const byFolder = new Map<string, readonly Candidate[]>()
  function candidatesOf(path: string): readonly Candidate[] {
    const folder = path.slice(0, path.lastIndexOf("/") + 1)
    let candidates = byFolder.get(folder)
    if (!candidates) {
      // Kept as long as the rules are: folders that are gone must not add up.
      if (byFolder.size >= MOST_FOLDERS) byFolder.clear()
      candidates = candidatesInFolder(folder, byPrefix)
      byFolder.set(folder, candidates)
    }
    return candidates
  }
  return {
    first: (path) => candidatesOf(path).find((candidate) => matches(candidate, path))?.rule,
    all: (path) =>
      candidatesOf(path)
        .filter((candidate) => matches(candidate, path))
        .map(({ rule }) => rule),
    reaching: (path) => everyGlob.filter(({ glob }) => glob.match(path, true)).map(({ rule }) => rule),
    perhaps(path, beneath) {
      const certain = beneath ? -1 : everyGlob.findIndex((candidate) => matches(candidate, path))
      const asked = certain < 0 ? everyGlob : everyGlob.slice(0, certain + 1)
      return asked.filter(({ glob }) => mayHaveMatched(glob, path, beneath)).map(({ rule }) => rule)
    },
  }
}

function matches({ glob, needle }: Candidate, path: string): boolean {
  return path.includes(needle) && glob.match(path)
}

function candidatesInFolder(folder: string, byPrefix: ReadonlyMap<string, Candidate[]>): Candidate[] {
  const candidates = [...(byPrefix.get("") ?? [])]
  for (let slash = folder.indexOf("/"); slash >= 0; slash = folder.indexOf("/", slash + 1)) {
    candidates.push(...(byPrefix.get(folder.slice(0, slash + 1)) ?? []))
  }
  return candidates.sort((a, b) => a.order - b.order)
}

/**
 * The folder that every path matched by a glob lies in, with its trailing slash: the part before the first
 * character that could mean something to minimatch. "" (any folder) when minimatch would rewrite the
 * beginning (`//`, `.`, `..`).
 */
export function literalFolder(glob: string): string {
  const magic = glob.search(/[*?[\]{}\\]/)
  const literal = magic < 0 ? glob : glob.slice(0, magic)
  const folder = literal.slice(0, literal.lastIndexOf("/") + 1)
  const parts = folder.split("/").slice(0, -1)
  const rewritten = /(^|\/)\.\.(\/|$)/.test(glob) || parts.some((part) => part === "" || part === ".")
  return rewritten ? "" : folder
}

/**
 * The longest text that every path matched by a glob holds: a run of plain characters within one name, outside
 * of braces and classes. Looking for it is several times cheaper than a match. "" when there is none to rely on.
 */
export function literalRun(glob: string): string {
  if (glob.includes("\\") || glob.split("/").includes("..")) return ""
  const plain = glob.replace(/\{.*\}/, "*").replace(/\[.*\]/, "*")
  const runs = plain.split(/[*?[\]{}/]+/)
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), "")
}
