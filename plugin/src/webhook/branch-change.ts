import { FULL_ID } from "@headrace/shared/foundation/object-id"
import { z } from "zod"

/** A commit that arrived on a branch, as an event states it. A hint: nothing is read at this commit because of it. */
export interface BranchChange {
  /** ORG/NAME. */
  repo: string
  branch: string
  /** The commit that the branch should contain now. */
  sha: string
  /** The pull request that was merged. */
  pull: number | undefined
}

const sha = z.string().regex(FULL_ID)
const repository = z.object({ full_name: z.string().regex(/^[^/\s]+\/[^/\s]+$/) })
/** What git writes where there is no commit: after the deletion of a branch, for one. */
const NO_COMMIT = /^0+$/
const HEADS = "refs/heads/"

// GitHub's payloads hold much more; these are the fields that count, so other fields are no error here.
const Push = z.object({ ref: z.string(), after: sha, deleted: z.boolean().optional(), repository })
const PullRequest = z.object({
  action: z.string(),
  number: z.int().positive(),
  pull_request: z.object({
    merged: z.boolean().nullish(),
    merge_commit_sha: sha.nullish(),
    base: z.object({ ref: z.string() }),
  }),
  repository,
})

/** Why an event moves no branch, for a reader of the delivery on GitHub's page. */
export interface NoChange {
  why: string
}

/**
 * What an event says about a branch: a push to it, or a pull request merged into it. Throws a ZodError for a push or
 * pull_request event of another shape.
 */
export function readBranchChange(event: string, payload: unknown): BranchChange | NoChange {
  if (event === "push") return readPush(Push.parse(payload))
  if (event === "pull_request") return readPullRequest(PullRequest.parse(payload))
  return { why: `this ${event} event moves no branch` }
}

function readPush(push: z.infer<typeof Push>): BranchChange | NoChange {
  if (!push.ref.startsWith(HEADS)) return { why: "a push of a tag moves no branch" }
  if (push.deleted || NO_COMMIT.test(push.after)) return { why: "the branch was deleted" }
  return {
    repo: push.repository.full_name,
    branch: push.ref.slice(HEADS.length),
    sha: push.after,
    pull: undefined,
  }
}

function readPullRequest(event: z.infer<typeof PullRequest>): BranchChange | NoChange {
  const { merged, merge_commit_sha: commit, base } = event.pull_request
  if (event.action !== "closed") return { why: `a pull request that was ${event.action} moves no branch` }
  if (!merged) return { why: "the pull request was closed and not merged" }
  if (!commit || NO_COMMIT.test(commit))
    return { why: "the merge's commit is not known yet: its push, or the next poll, brings it" }
  return { repo: event.repository.full_name, branch: base.ref, sha: commit, pull: event.number }
}
