import { HeadraceError } from "@headrace/shared/foundation/errors"
import { FULL_ID } from "@headrace/shared/foundation/object-id"
import type { SourceRepository } from "@headrace/shared/git/source-repository"
import type { Rejection } from "@headrace/shared/record/rollout-state"
import { type Answer, type Ask, answered } from "@headrace/shared/status/answer"
import type { ClusterSourceFacts } from "@headrace/shared/status/fleet-facts"
import { type CommitVerdict, judgeCommit } from "@headrace/shared/status/judge-commit"
import { type RecordedCommit, revisionsWith } from "@headrace/shared/status/revisions-with"
import { shortCommit } from "@headrace/shared/status/short-commit"
import { namedCommit } from "../../cli/named-commit.ts"

/** What may be asked for: a commit by its first digits or all of them, or the commit that merged a pull request. */
export type WantedChange = { commit: string } | { pullRequest: number }

/** Whether a commit is live in one cluster. */
export interface CommitStatus extends CommitVerdict {
  /** What was asked for. */
  pullRequest?: number
  /** The commit that was asked for or merged the pull request; null: none did as far as the branch shows. */
  commit: string | null
}

type Repository = Pick<SourceRepository, "fetch" | "seqOf" | "contains" | "mergeOf" | "abbreviated">

/** A wanted change as one source has it: null where no commit of its branch says that it merged the pull request. */
export async function findChange(
  repository: Repository,
  wanted: WantedChange,
  signal: AbortSignal,
): Promise<string | null> {
  if ("commit" in wanted) return knownCommit(repository, wanted.commit, signal)
  const tip = await repository.fetch(signal)
  return (await repository.mergeOf(tip.commit, wanted.pullRequest, signal)) ?? null
}

/** Named by its first digits, the commit may be one that the mirror has yet to fetch. */
async function knownCommit(repository: Repository, text: string, signal: AbortSignal): Promise<string> {
  if (await hasCommit(repository, text, signal)) return namedCommit(repository, text, signal)
  await repository.fetch(signal)
  if (!FULL_ID.test(text) || (await hasCommit(repository, text, signal))) {
    return namedCommit(repository, text, signal)
  }
  throw new HeadraceError("git/unknown-commit", `the source has no commit ${text}`)
}

async function hasCommit(repository: Repository, text: string, signal: AbortSignal): Promise<boolean> {
  if (FULL_ID.test(text)) return (await repository.seqOf(text, signal)) !== undefined
  return (await repository.abbreviated(text, signal)).length > 0
}

/** True when a source has nothing to do with the change: another one may have. */
export function isOfAnotherSource(change: Answer<string | null>): boolean {
  return change.known ? change.value === null : change.problem.code === "git/unknown-commit"
}

/** Whether the change is live in the cluster of these facts. */
export async function commitStatus(
  facts: ClusterSourceFacts,
  repository: Repository,
  {
    rejections,
    ...change
  }: {
    wanted: WantedChange
    commit: string | null
    ignoreSilent: boolean
    now: number
    /** Of all records of the source. */
    rejections: readonly Rejection[]
  },
  ask: Ask,
): Promise<CommitStatus> {
  const { wanted, commit } = change
  const asked = "pullRequest" in wanted ? { pullRequest: wanted.pullRequest } : {}
  const recorded = await recordedCommit(facts, repository, { commit, rejections }, ask)
  const verdict = judgeCommit({
    ...change,
    facts,
    commit: commit ?? "",
    recorded: recorded.known ? recorded.value : undefined,
  })
  const reason = reasonBefore(wanted, commit, recorded)
  if (reason === undefined) return { ...asked, commit, ...verdict }
  return { ...asked, commit, ...verdict, recorded: false, live: false, reasons: [reason] }
}

async function recordedCommit(
  { record, source }: ClusterSourceFacts,
  repository: Repository,
  { commit, rejections }: { commit: string | null; rejections: readonly Rejection[] },
  ask: Ask,
): Promise<Answer<RecordedCommit | undefined>> {
  if (!record.known || record.value === undefined || commit === null) return answered(undefined)
  const shown = record.value
  return ask(`git, for source ${source},`, async (signal) => {
    const commits = [commit, shown.commit ?? commit]
    const known = await Promise.all(commits.map((one) => repository.seqOf(one, signal)))
    if (known.includes(undefined)) await repository.fetch(signal)
    return revisionsWith(shown, commit, repository, signal, rejections)
  })
}

/** What keeps the question from having an answer. */
function reasonBefore(
  wanted: WantedChange,
  commit: string | null,
  recorded: Answer<unknown>,
): string | undefined {
  if (commit === null && "pullRequest" in wanted) {
    return `no commit of the branch says that it merged #${wanted.pullRequest}`
  }
  return recorded.known ? undefined : recorded.problem.message
}

/** `live: …` or `not live: …` in a line, and what it lacks or on how many nodes it is below. */
export function commitText(status: CommitStatus): string {
  const { live, reasons, nodes } = status
  const counted = nodes && nodes.total + nodes.silent.length > 0 ? [countText(nodes)] : []
  const lines = [...counted, ...named(reasons)].filter((line) => !headText(status).endsWith(line))
  return [`${live ? "live" : "not live"}: ${headText(status)}`, ...lines].join("\n  ")
}

function headText({ pullRequest, commit, shows, recorded, reasons }: CommitStatus): string {
  const name = pullRequest === undefined ? "" : `#${pullRequest}, `
  if (commit === null) return reasons[0] ?? ""
  if (shows === null) return `${name}${shortCommit(commit)}: ${reasons[0] ?? "nothing is shown yet"}`
  return `${name}${shortCommit(commit)} is ${recorded ? "" : "not "}in ${shortCommit(shows)}`
}

function countText({ live, total, silent }: NonNullable<CommitStatus["nodes"]>): string {
  return `live on ${live}/${total + silent.length} nodes`
}

/** Of a thousand nodes that wait, the first few say why. */
const NAMED = 10

function named(reasons: readonly string[]): string[] {
  const more = reasons.length - NAMED
  return [...reasons.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])]
}
