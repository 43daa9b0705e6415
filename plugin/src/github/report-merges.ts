import { errorText } from "@headrace/shared/foundation/errors"
import { type Jobs, workJobs } from "@headrace/shared/lanes/jobs"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Log } from "@headrace/shared/observe/log"
import { type FileChange, touchedPaths } from "@headrace/shared/plan/file-change"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { GitHubSettings } from "@headrace/shared/settings/operator-settings"
import type { OutcomeSeals } from "../deliveries/outcome-seals.ts"
import { clusterLiveness } from "./cluster-liveness.ts"
import { commentMarker, commentText } from "./comment-text.ts"
import { confirmMerges, type MergeConfirmer } from "./confirm-merge.ts"
import type { GitHub } from "./log-in.ts"
import {
  closeMerges,
  type MergeNotes,
  mergesOfDeliveries,
  readMergeNotes,
  saveDeployment,
  saveMergeNotes,
  sealedOutcomes,
} from "./merge-notes.ts"
import type { MergePart, MergeReport } from "./merge-report.ts"
import { keepOwnWrites, type OwnWrites, ownNotes } from "./own-writes.ts"
import { postComment } from "./post-comment.ts"
import { rateLimitWait, statusOf } from "./rate-limit.ts"
import { setDeployments } from "./set-deployments.ts"
import { findStatus, setStatus } from "./set-status.ts"
import { type ReadVerdicts, watchLive } from "./watch-live.ts"

export interface ReportOptions {
  settings: Pick<GitHubSettings, "comment" | "status" | "deployments">
  github: GitHub
  lanes: Lanes
  clusters: readonly string[]
  /** The sources that follow a branch of a repository. */
  sourcesOf(repo: string, branch: string): readonly string[]
  /** Which keys of a source's targets the changed paths of a merge touch. */
  touched(
    source: string,
    merge: { repo: string; sha: string },
    paths: readonly string[],
  ): Promise<readonly TouchedTarget[]>
  /** Which outcomes in Redis are ours. */
  seals: OutcomeSeals
  /** Whether commits of a source are live, by commit and cluster; absent: not known, and nothing is called live. */
  verdicts?: ReadVerdicts | undefined
  /** Milliseconds between two looks at whether merges are live. */
  look?: number
  /** Milliseconds between two reports, and to gather what comes together; GitHub asks for a second. */
  pace?: number
  gather?: number
  backoff?: number
  log: Log
}

/** Says on GitHub what became of merges. */
export interface MergeReports {
  /** Reports on deliveries to which a cluster answered. Never fails: reporting holds nothing up. */
  notify(guids: readonly string[]): Promise<void>
  close(): Promise<void>
}

const PACE_MS = 1000
const GATHER_MS = 200
const PAGE = 100

/**
 * Reports every merge once, in a comment that is edited and a status that is set as clusters come in. Each
 * report is a job of its pull request: one plugin at a time works it, from what Redis and GitHub
 * say when it begins, so it may be repeated at any time.
 */
export function reportMerges(options: ReportOptions): MergeReports {
  const { lanes, log } = options
  const trust = { merges: confirmMerges(options.github), own: keepOwnWrites() }
  const jobs: Jobs = workJobs(lanes, {
    name: "reports",
    handler: (id) => report(id, options, trust),
    pace: options.pace ?? PACE_MS,
    gather: options.gather ?? GATHER_MS,
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
    log,
  })
  const stop = new AbortController()
  const watch = watchLive(
    { lanes, verdicts: options.verdicts, ask: (id) => jobs.ask(id), look: options.look, log },
    stop.signal,
  )
  return {
    async notify(guids) {
      try {
        const merges = await mergesOfDeliveries(lanes, guids)
        await Promise.all(merges.map((id) => jobs.ask(id)))
      } catch (error) {
        log.warn({ err: errorText(error) }, "merges could not be reported")
      }
    },
    async close() {
      stop.abort()
      await watch
      await jobs.close()
    },
  }
}

/** Judges what Redis says before it reaches GitHub: nothing is believed that another program could have written. */
interface Trust {
  merges: MergeConfirmer
  own: OwnWrites
}

async function report(id: string, options: ReportOptions, trust: Trust): Promise<void> {
  const noted = await readMergeNotes(options.lanes, id)
  if (noted === undefined) return
  try {
    const branch = await trust.merges.branchOf(noted)
    const sources = branch === undefined ? [] : options.sourcesOf(noted.repo, branch)
    if (sources.length === 0) return await forget(id, options)
    await say(id, { ...ownNotes(id, noted, trust.own), sources: [...sources] }, options, trust.own)
  } catch (error) {
    throw rateLimitWait(error, Date.now()) ?? error
  }
}

/** What is no merge of ours is not looked at again unless a delivery names it. */
async function forget(id: string, { lanes, log }: Pick<ReportOptions, "lanes" | "log">): Promise<void> {
  log.warn({ merge: id }, "Redis names a merge that GitHub does not know; nothing is said of it")
  await closeMerges(lanes, id)
}

async function say(
  id: string,
  notes: MergeNotes,
  { settings, github, lanes, log, ...options }: Omit<ReportOptions, "sourcesOf">,
  own: OwnWrites,
): Promise<void> {
  const merge = await describe(id, notes, { github, lanes, ...options })
  if (merge.parts.every(({ touched }) => touched.length === 0)) return closeMerges(lanes, id)
  const comment = () => sayComment(id, merge, notes, { github, lanes, own })
  const status = async () => {
    const last = notes.status ?? (await findStatus(github, merge))
    const said = await setStatus(github.octokit, merge, last, Date.now())
    own.note(id, "status", said)
    await saveMergeNotes(lanes, id, { status: said })
  }
  const deployments = () =>
    setDeployments(github, merge, notes.deployments, async (cluster, said) => {
      own.note(id, `to ${cluster}`, said)
      await saveDeployment(lanes, id, cluster, said)
    }).catch((error: unknown) => refusedDeployment(error, log))
  // Each is tried whatever became of the other: a locked pull request takes no comment, but its commit a status.
  const failures = [
    ...(settings.comment ? [await failureOf(comment)] : []),
    ...(settings.status ? [await failureOf(status)] : []),
    ...(settings.deployments ? [await failureOf(deployments)] : []),
  ].filter((failure) => failure !== undefined)
  if (failures.length > 0) throw failures[0]
  if (clusterLiveness(merge).every(({ state }) => state === "live")) await closeMerges(lanes, id)
}

/** Credentials from before there were deployments lack the right to make them: all else is said without. */
function refusedDeployment(error: unknown, log: Log): void {
  const isRefused = [403, 404].includes(statusOf(error)) && rateLimitWait(error, Date.now()) === undefined
  if (!isRefused) throw error
  log.warn({ err: errorText(error) }, "GitHub lets these credentials make no deployments")
}

async function sayComment(
  id: string,
  merge: MergeReport,
  notes: MergeNotes,
  { github, lanes, own }: Pick<ReportOptions, "github" | "lanes"> & { own: OwnWrites },
): Promise<void> {
  const text = commentText(merge)
  if (text === undefined) return
  const thread = { ...notes, marker: commentMarker(notes.repo, notes.pull), since: notes.arrived }
  const comment = await postComment(github, thread, text, notes.comment)
  own.note(id, "comment", comment)
  await saveMergeNotes(lanes, id, { comment })
}

/** What kept a step from being done; a rate limit is thrown, since it keeps everything from being done. */
async function failureOf(step: () => Promise<void>): Promise<unknown> {
  try {
    await step()
    return undefined
  } catch (error) {
    if (rateLimitWait(error, Date.now())) throw error
    return error
  }
}

async function describe(
  id: string,
  notes: MergeNotes,
  {
    github,
    lanes,
    clusters,
    touched,
    verdicts,
    seals,
  }: Pick<ReportOptions, "github" | "lanes" | "clusters" | "touched" | "verdicts" | "seals">,
): Promise<MergeReport> {
  const paths = touchedPaths(await changedFiles(github.octokit, notes))
  const parts: MergePart[] = []
  for (const source of notes.sources) {
    const changed = await touched(source, notes, paths)
    const found = await verdicts?.(source, [notes.sha], { touched: placesByCluster(changed) })
    // Read after the verdicts: a cluster answers before its nodes follow.
    const noted = (await readMergeNotes(lanes, id)) ?? notes
    parts.push({
      touched: changed,
      outcomes: await sealedOutcomes(noted, source, clusters, seals),
      verdicts: found?.get(notes.sha) ?? new Map(),
    })
  }
  const { repo, pull, sha } = notes
  return { repo, pull, sha, parts }
}

/** `namespace/name` of each target, by cluster. */
function placesByCluster(touched: readonly TouchedTarget[]): Map<string, Set<string>> {
  const byCluster = Map.groupBy(touched, ({ target }) => target.cluster)
  return new Map(
    [...byCluster].map(([cluster, some]) => [
      cluster,
      new Set(some.map(({ target }) => `${target.namespace}/${target.name}`)),
    ]),
  )
}

/** GitHub lists at most 3,000 files of a pull request; what it leaves out is left out of the comment alone. */
async function changedFiles(
  octokit: GitHub["octokit"],
  { repo: fullName, pull }: MergeNotes,
): Promise<FileChange[]> {
  const [owner = "", repo = ""] = fullName.split("/")
  return octokit.paginate(octokit.rest.pulls.listFiles, { owner, repo, pull_number: pull, per_page: PAGE })
}
