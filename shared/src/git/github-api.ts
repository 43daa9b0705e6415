import { boundedResponse } from "../foundation/bounded-response.ts"
import { HeadraceError } from "../foundation/errors.ts"
import { fetchWithinOrigin } from "../foundation/fetch-within-origin.ts"
import { noteBreach } from "../observe/bound-breaches.ts"
import { DEFAULT_WRITER_BOUNDS } from "../settings/bounds.ts"

/** Milliseconds that GitHub may take to answer. */
const ANSWER_LIMIT_MS = 15_000

/**
 * Options of every client of GitHub's API at `apiUrl`, or of a GitHub Enterprise Server's: each answer has a time limit and
 * at most `most` bytes. A larger one throws `git/answer-too-large`.
 */
export function githubApi(apiUrl: string, most = DEFAULT_WRITER_BOUNDS.answer) {
  return {
    baseUrl: apiUrl.replace(/\/+$/, ""),
    request: {
      fetch: async (url: string, init: RequestInit) => {
        const response = await fetchWithinOrigin(url, {
          ...init,
          signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
        })
        return boundedResponse(response, most, () => tooLarge(url, most))
      },
    },
  }
}

function tooLarge(url: string, most: number): HeadraceError {
  noteBreach("answer", "github")
  return new HeadraceError(
    "git/answer-too-large",
    `${new URL(url).origin} answered with more than ${most} bytes`,
    {
      hint: "Check github.apiUrl and what is before it, or raise bounds.answer.",
    },
  )
}
