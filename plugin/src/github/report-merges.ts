import { type Errands, workErrands } from "@headrace/shared/lanes/errands"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Log } from "@headrace/shared/observe/log"
import { type FileChange, touchedPaths } from "@headrace/shared/plan/file-change"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { GitHubSettings } from "@headrace/shared/settings/operator-settings"
import type { Octokit } from "@octokit/rest"
import { commentMarker, commentText } from "./comment-text.ts"
import { type MergeNotes, mergesOfDeliveries, readMergeNotes, saveMergeNotes } from "./merge-notes.ts"
import type { MergePart, MergeReport } from "./merge-report.ts"
import { postComment } from "./post-comment.ts"
import { rateLimitWait } from "./rate-limit.ts"
import { setStatus } from "./set-status.ts"

export interface ReportOptions {
  settings: Pick<GitHubSettings, "comment" | "status">
  github: Octokit
  lanes: Lanes
  clusters: readonly string[]
  /** Which keys of a source's targets the changed paths of a merge touch. */
  touched(
    source: string,
    merge: { repo: string; sha: string },
    paths: readonly string[],
  ): Promise<readonly TouchedTarget[]>
  /** Milliseconds between two reports, and to gather what comes together; GitHub asks for a second. */
  pace?: number
  gather?: number
  backoff?: number
  log: Log
}

/** Says on GitHub what became of merges. */
export interface MergeReports {
  /** Tells of deliveries to whom a cluster answered. Never fails: reporting holds nothing up. */
  tell(guids: readonly string[]): Promise<void>
  close(): Promise<void>
}

const PACE_MS = 1000
const GATHER_MS = 500
const PAGE = 100

/**
 * Reports every merge once, in a comment that is edited and a status that is set as clusters come in. Each
 * report is an errand of its pull request: one plugin at a time works it, from what Redis and GitHub
 * say when it begins, so it may be repeated at any time.
 */
export function reportMerges(options: ReportOptions): MergeReports {
  const { lanes, log } = options
  const errands: Errands = workErrands(lanes, {
    name: "reports",
    handler: (id) => report(id, options),
    pace: options.pace ?? PACE_MS,
    gather: options.gather ?? GATHER_MS,
    ...(options.backoff === undefined ? {} : { backoff: options.backoff }),
    log,
  })
  return {
    async tell(guids) {
      try {
        for (const id of await mergesOfDeliveries(lanes, guids)) await errands.ask(id)
      } catch (error) {
        log.warn({ err: error }, "merges could not be reported")
      }
    },
    close: errands.close,
  }
}

async function report(id: string, options: ReportOptions): Promise<void> {
  const notes = await readMergeNotes(options.lanes, id)
  if (notes === undefined) return
  try {
    await say(id, notes, options)
  } catch (error) {
    throw rateLimitWait(error, Date.now()) ?? error
  }
}

async function say(
  id: string,
  notes: MergeNotes,
  { settings, github, lanes, ...options }: ReportOptions,
): Promise<void> {
  const merge = await describe(notes, { github, ...options })
  if (merge.parts.every(({ touched }) => touched.length === 0)) return
  const text = settings.comment ? commentText(merge) : undefined
  if (text !== undefined) {
    const place = { ...notes, marker: commentMarker(notes.repo, notes.pull), since: notes.arrived }
    await saveMergeNotes(lanes, id, { comment: await postComment(github, place, text, notes.comment) })
  }
  if (settings.status) {
    await saveMergeNotes(lanes, id, { status: await setStatus(github, merge, notes.status) })
  }
}

async function describe(
  notes: MergeNotes,
  { github, clusters, touched }: Pick<ReportOptions, "github" | "clusters" | "touched">,
): Promise<MergeReport> {
  const paths = touchedPaths(await changedFiles(github, notes))
  const parts: MergePart[] = []
  for (const source of notes.sources) {
    parts.push({
      touched: await touched(source, notes, paths),
      outcomes: notes.outcomes(source, clusters),
    })
  }
  const { repo, pull, sha } = notes
  return { repo, pull, sha, parts }
}

/** GitHub lists at most 3,000 files of a pull request; what it leaves out is left out of the comment alone. */
async function changedFiles(github: Octokit, { repo: fullName, pull }: MergeNotes): Promise<FileChange[]> {
  const [owner = "", repo = ""] = fullName.split("/")
  return github.paginate(github.rest.pulls.listFiles, { owner, repo, pull_number: pull, per_page: PAGE })
}
