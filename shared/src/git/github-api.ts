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
        return readWhole(boundedResponse(response, most, () => tooLarge(url, most)))
      },
    },
  }
}

/** Reads the body here: Octokit takes one that cannot be read, or breaks off, for an empty one, with status 200. */
async function readWhole(response: Response): Promise<Response> {
  if (response.body === null) return response
  const { status, statusText, headers, url } = response
  const whole = new Response(await response.arrayBuffer(), { status, statusText, headers })
  Object.defineProperty(whole, "url", { value: url })
  return whole
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
