import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import { itemAt } from "@headrace/shared/git/links/sorted-paths"
import type { Mirror } from "@headrace/shared/git/open-mirror"
import type { Answer, Ask } from "@headrace/shared/status/answer"
import { leasesOfNode } from "@headrace/shared/status/explain-node"
import type { FleetFacts } from "@headrace/shared/status/fleet-facts"
import { shortCommit } from "@headrace/shared/status/short-commit"
import type { Fleet } from "../../cli/open-fleet.ts"

/** What is to be explained. */
export type Subject =
  | { kind: "commit"; source: string; commit: string }
  | { kind: "pr"; source: string; commit: string; number: number }
  | { kind: "file"; source: string; commit: string; path: string; isThere: boolean }
  | { kind: "target"; target: string }
  | { kind: "node"; node: string }

const KINDS = ["commit", "pr", "file", "target", "node"] as const
type Kind = Subject["kind"]

/**
 * Finds out what a person means. Throws UsageError `explain/ambiguous` when it may be several things, naming each, and
 * `explain/unknown` when it is nothing that is known: a UsageError, unless git did not answer.
 */
export async function findSubject(
  text: string,
  fleet: Fleet,
  facts: FleetFacts,
  targets: ReadonlySet<string>,
  ask: Ask,
): Promise<Subject> {
  const { kinds, name } = splitKind(text)
  const sources = [...new Set(fleet.clusterSources.map(({ source }) => source))]
  const inGit = await Promise.all(
    sources.map((source) =>
      ask(`git, for source ${source},`, (signal) => subjectsInGit(fleet, facts, { source, name }, signal)),
    ),
  )
  const found = [
    ...inGit.flatMap((one) => (one.known ? one.value : [])),
    ...(targets.has(name) ? [{ kind: "target" as const, target: name }] : []),
    ...(leasesOfNode(facts, name).length > 0 ? [{ kind: "node" as const, node: name }] : []),
  ].filter(({ kind }) => kinds.includes(kind))
  const [first, second] = found
  if (first === undefined) throw unknown(name, inGit)
  if (second === undefined) return first
  const forms = [...new Set(found.map(({ kind }) => `${kind}:${name}`))].join(" or ")
  throw new UsageError("explain/ambiguous", `${name} may be ${found.map(subjectText).join(" or ")}`, {
    hint: `Write ${forms}, give more digits, or add --source.`,
  })
}

function splitKind(text: string): { kinds: readonly Kind[]; name: string } {
  const [kind = "", ...rest] = text.split(":")
  const known = KINDS.find((one) => one === kind)
  if (known !== undefined && rest.length > 0)
    return { kinds: [known], name: rest.join(":").replace(/^#/, "") }
  return text.startsWith("#") ? { kinds: ["pr"], name: text.slice(1) } : { kinds: KINDS, name: text }
}

async function subjectsInGit(
  { reconciler }: Fleet,
  facts: FleetFacts,
  { source, name }: { source: string; name: string },
  signal: AbortSignal,
): Promise<Subject[]> {
  const repository = await reconciler.repository(source)
  const tip = tipOf(facts, source)
  const [commits, merges, files] = await Promise.all([
    commitsOf(repository, source, name, signal),
    tip === undefined ? [] : mergesOf(repository, { source, tip, name }, signal),
    tip === undefined ? [] : filesOf(repository, { source, tip, name }, signal),
  ])
  return [...commits, ...merges, ...files]
}

/** The tip of the branch; without an answer of git, what a cluster shows of it. */
export function tipOf({ branches, clusterSources }: FleetFacts, source: string): string | undefined {
  const branch = branches.get(source)
  if (branch?.known) return branch.value.commit
  const shown = clusterSources.find(
    (one) => one.source === source && one.record.known && one.record.value?.commit,
  )
  return (shown?.record.known && shown.record.value?.commit) || undefined
}

async function commitsOf(
  repository: Mirror,
  source: string,
  name: string,
  signal: AbortSignal,
): Promise<Subject[]> {
  const commits = await repository.abbreviated(name.toLowerCase(), signal)
  return commits.map((commit) => ({ kind: "commit", source, commit }))
}

async function mergesOf(
  repository: Mirror,
  { source, tip, name }: { source: string; tip: string; name: string },
  signal: AbortSignal,
): Promise<Subject[]> {
  if (!/^[1-9]\d{0,9}$/.test(name)) return []
  const number = Number(name)
  const commit = await repository.mergeOf(tip, number, signal)
  return commit === undefined ? [] : [{ kind: "pr", source, commit, number }]
}

async function filesOf(
  repository: Mirror,
  { source, tip, name }: { source: string; tip: string; name: string },
  signal: AbortSignal,
): Promise<Subject[]> {
  const path = name.replace(/^\.\//, "")
  if (path === "" || path.startsWith("/")) return []
  const { files } = await repository.tree(tip, signal)
  const isThere = itemAt(files, path) !== undefined
  const commit = await repository.lastChange(tip, path, signal)
  const isFolder = !isThere && files.some((file) => file.path.startsWith(`${path.replace(/\/$/, "")}/`))
  if (commit === undefined || isFolder) return []
  return [{ kind: "file", source, commit, path, isThere }]
}

function subjectText(subject: Subject): string {
  if (subject.kind === "commit") return `commit ${shortCommit(subject.commit)} of ${subject.source}`
  if (subject.kind === "pr") return `pull request #${subject.number} of ${subject.source}`
  if (subject.kind === "file") return `file ${subject.path} of ${subject.source}`
  return subject.kind === "node" ? `node ${subject.node}` : `target ${subject.target}`
}

/** A misuse where everything was asked; where git did not answer, the name may be one that it knows. */
function unknown(name: string, inGit: readonly Answer<unknown>[]): HeadraceError {
  const silent = inGit.flatMap((one) => (one.known ? [] : [one.problem.message]))
  const message = `${JSON.stringify(name)} is no commit, file, merged pull request, target or node that is known`
  const hint = "Check the name; git ls-files lists paths, and status -o json lists nodes."
  if (silent.length === 0) return new UsageError("explain/unknown", message, { hint })
  return new HeadraceError("explain/unknown", `${message}; ${silent.join("; ")}`, { hint })
}
