import { fetchWithinOrigin } from "../foundation/fetch-within-origin.ts"

/** Milliseconds that GitHub may take to answer. */
const ANSWER_LIMIT_MS = 15_000

/** Options of every client of GitHub's API at `apiUrl`, or of a GitHub Enterprise Server's: each answer has a time limit. */
export function githubApi(apiUrl: string) {
  return {
    baseUrl: apiUrl.replace(/\/+$/, ""),
    request: {
      fetch: (url: string, init: RequestInit) =>
        fetchWithinOrigin(url, { ...init, signal: AbortSignal.timeout(ANSWER_LIMIT_MS) }),
    },
  }
}
