import { ComeBackLater } from "@headrace/shared/lanes/jobs"

/** What GitHub asks for when it does not say how long. */
const DEFAULT_WAIT_MS = 60_000

/**
 * When GitHub refused a request for a rate limit, primary or secondary: how long it asks us to wait, as an
 * error that makes the job wait. Undefined for any other error.
 * https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function rateLimitWait(error: unknown, now: number): ComeBackLater | undefined {
  const { status, headers } = answerOf(error)
  if (status !== 403 && status !== 429) return undefined
  const after = Number(headers["retry-after"])
  if (after > 0) return new ComeBackLater(after * 1000, "GitHub asks to wait")
  if (headers["x-ratelimit-remaining"] === "0") {
    const until = Number(headers["x-ratelimit-reset"]) * 1000
    return new ComeBackLater(Math.max(1000, until - now || DEFAULT_WAIT_MS), "GitHub's rate limit is used up")
  }
  if (status === 429 || /secondary rate limit/i.test(String(error))) {
    return new ComeBackLater(DEFAULT_WAIT_MS, "GitHub's secondary rate limit")
  }
  return undefined
}

/** HTTP status of Octokit's RequestError; 0 for an error of another kind. */
export function statusOf(error: unknown): number {
  return answerOf(error).status
}

function answerOf(error: unknown): { status: number; headers: Record<string, unknown> } {
  if (!(error instanceof Error) || !("status" in error)) return { status: 0, headers: {} }
  const response = "response" in error ? (error.response as { headers?: Record<string, unknown> }) : undefined
  return { status: Number(error.status), headers: response?.headers ?? {} }
}
