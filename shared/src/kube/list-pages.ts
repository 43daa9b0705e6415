import { KubeError } from "./kube-error.ts"

/** One page of a list, and how many bytes its answer had. */
export interface ListedPage {
  items: unknown[]
  resourceVersion: string
  /** Token of the next page; undefined: this is the last. */
  next: string | undefined
  bytes: number
}

/** Asks for a page of at most `size` objects, 0 for all of them, from a token on. */
export type FetchPage = (size: number, token: string) => Promise<ListedPage>

/** By how much a page becomes smaller when its answer was too large. */
const SHRINK = 4
/** No list of a cluster has as many pages; a server that says so has no end. */
const MOST_PAGES = 100_000

/**
 * Lists page by page, within `most` bytes together; a page whose answer is too large is asked for again by a quarter of
 * its objects. Without a resourceVersion the server reads from etcd, so that a stale replica of it cannot answer. A page
 * token that has expired (410) starts the list again, then without pages.
 *
 * Throws `kube/list-too-large`, and KubeErrors of `fetch`.
 */
export async function listPages(
  what: string,
  fetch: FetchPage,
  { pageSize, most }: { pageSize: number; most: number },
): Promise<{ items: unknown[]; resourceVersion: string }> {
  const items: unknown[] = []
  let size = pageSize
  let token = ""
  let bytes = 0
  for (let pages = 1; ; pages += 1) {
    const page = await pageOrSmaller(fetch, size, token)
    if (page === "gone") return fetch(0, "")
    size = page.size
    bytes += page.bytes
    if (bytes > most || pages > MOST_PAGES) throw tooLarge(what, bytes, pages, most)
    for (const item of page.items) items.push(item)
    if (!page.next) return { items, resourceVersion: page.resourceVersion }
    token = page.next
  }
}

async function pageOrSmaller(
  fetch: FetchPage,
  first: number,
  token: string,
): Promise<(ListedPage & { size: number }) | "gone"> {
  for (let size = first; ; size = Math.max(1, Math.floor(size / SHRINK))) {
    try {
      return { ...(await fetch(size, token)), size }
    } catch (error) {
      if (!(error instanceof KubeError)) throw error
      if (token && error.code === "kube/gone") return "gone"
      if (error.code !== "kube/answer-too-large" || size <= 1) throw error
    }
  }
}

function tooLarge(what: string, bytes: number, pages: number, most: number): KubeError {
  return new KubeError(
    "kube/list-too-large",
    `${what}: ${bytes} bytes in ${pages} pages, and bounds.list is ${most}`,
    { hint: "Narrow what is selected, or raise bounds.list." },
  )
}
