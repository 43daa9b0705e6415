/** What a person wants to know of a commit. */
export interface CommitSummary {
  /** The first line of its message. */
  subject: string
  /** Name of the author, without the address. */
  author: string
  /** When it was committed, in milliseconds since the epoch. */
  committed: number
}

/** Reads a commit object as `git cat-file commit` gives it; what is not as git writes it becomes empty. */
export function parseCommitSummary(content: Buffer): CommitSummary {
  const text = content.toString("utf8")
  const end = text.indexOf("\n\n")
  const headers = end < 0 ? text : text.slice(0, end)
  const message = end < 0 ? "" : text.slice(end + 2)
  const [, author = ""] = /^author (.*?) ?<[^>\n]*> -?\d+ /m.exec(headers) ?? []
  const [, committed = "0"] = /^committer .*> (-?\d+) /m.exec(headers) ?? []
  return { subject: message.split("\n")[0] ?? "", author, committed: Number(committed) * 1000 }
}
