import { existsSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { suggestion } from "../../foundation/closest-word.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { isLocalUrl } from "../local-remote.ts"
import { runGit } from "../process/run-git.ts"

/** What was to be fetched. */
interface Wanted {
  url: string
  /** `refs/heads/NAME`, `refs/tags/NAME` or a commit's full id. */
  ref: string
  signal: AbortSignal
}

/** How git reaches the remote: what a fetch was given. */
interface Access {
  env: Record<string, string>
  args: readonly string[]
}

const LIST_LIMIT_MS = 30_000

/**
 * Says of a fetch that found no repository or no branch what is really there: no folder, no repository in it, no commit
 * yet, other branches. Gives the error as it is where nothing more can be learnt.
 */
export async function explainMissing(
  error: HeadraceError,
  request: Wanted,
  access: Access,
): Promise<HeadraceError> {
  if (error.code === "git/repository-missing") return explainRepository(error, request.url)
  if (error.code !== "git/branch-missing") return error
  const refs = await listRefs(request, access)
  if (refs === undefined) return error
  const { url, ref } = request
  if (refs.length === 0) {
    return new HeadraceError("git/empty", `the repository ${url} has no commits yet`, {
      hint: "Commit to it, and push where it is a remote one.",
      cause: error,
    })
  }
  const [folder = ""] = /^refs\/(heads|tags)\//.exec(ref) ?? []
  const name = ref.slice(folder.length)
  const known = refs.filter((one) => one.startsWith(folder)).map((one) => one.slice(folder.length))
  const kind = folder === "refs/tags/" ? "tag" : "branch"
  return new HeadraceError("git/branch-missing", `the repository ${url} has no ${kind} ${name}`, {
    hint: known.length === 0 ? `Push the ${kind}, or name another.` : suggestion(name, known),
    fields: error.fields,
    cause: error,
  })
}

function explainRepository(error: HeadraceError, url: string): HeadraceError {
  if (!isLocalUrl(url)) return error
  const path = /^file:/i.test(url) ? fileURLToPath(url) : url
  const detail = { fields: error.fields, cause: error }
  if (!existsSync(path)) {
    return new HeadraceError("git/repository-missing", `there is no folder ${path}`, {
      ...detail,
      hint: "Give the path of a git repository on this machine, or a URL.",
    })
  }
  const what = statSync(path).isDirectory() ? "is no git repository" : "is a file, not a git repository"
  return new HeadraceError("git/repository-missing", `${path} ${what}`, {
    ...detail,
    hint: "Give the folder that holds .git, or make it a repository: git init, git add, git commit.",
  })
}

/** Undefined when the remote does not list them. */
async function listRefs(request: Wanted, { env, args }: Access): Promise<string[] | undefined> {
  try {
    const { stdout } = await runGit({
      args: ["ls-remote", "--heads", "--tags", ...args, "--end-of-options", request.url],
      env,
      signal: request.signal,
      timeout: LIST_LIMIT_MS,
    })
    const lines = stdout.toString("utf8").split("\n")
    return lines.flatMap((line) => {
      const ref = line.split("\t")[1]
      return ref === undefined || ref.endsWith("^{}") ? [] : [ref]
    })
  } catch {
    return undefined
  }
}
