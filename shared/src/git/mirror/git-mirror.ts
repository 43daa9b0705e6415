import { errorText, HeadraceError, hasCode } from "../../foundation/errors.ts"
import { shareNext } from "../../foundation/share-next.ts"
import type { Tree } from "../../foundation/tree.ts"
import type { Log } from "../../observe/log.ts"
import { type CheckedOutFile, checkedOutFiles } from "../checked-out-files.ts"
import type { RemoteAuth } from "../git-login.ts"
import type { CommitSummary } from "../objects/commit-summary.ts"
import { type GitBounds, RepositoryReader } from "../objects/repository-reader.ts"
import { runGit } from "../process/run-git.ts"
import type { SourceRepository, Tip } from "../source-repository.ts"
import { fetchRef, KEPT, TIP } from "./fetch-ref.ts"
import { isDamage } from "./is-damage.ts"
import { createMirror, type MirrorIdentity, type ObjectFormat, swapMirror } from "./mirror-folder.ts"
import { removeLeftovers } from "./remove-leftovers.ts"
import { Upkeep, type UpkeepOptions } from "./upkeep.ts"

export interface GitMirrorOptions {
  url: string
  /** What it follows: `refs/heads/NAME`, `refs/tags/NAME` or a commit's full id. */
  ref: string
  auth?: RemoteAuth
  /** PEM file of authorities, in place of the system's. */
  caFile?: string | undefined
  /** Proxy to fetch by; absent: the environment's. */
  proxy?: string | undefined
  allowPlaintext?: boolean
  fsckIgnore?: readonly string[]
  /** The bare repository's folder. */
  place: string
  identity: MirrorIdentity
  log: Log
  fetchTimeout?: number
  upkeep?: UpkeepOptions
  /** Bytes of a blob, and files of a commit; absent: as many as there are. */
  bounds?: GitBounds | undefined
  /** Releases the folder. */
  release(): Promise<void>
}

/** Milliseconds between rebuilds: one that does not help must not fetch the whole history at every poll. */
const REBUILD_PAUSE = 300_000
/** Milliseconds before a server is asked again for a commit that it did not have. */
const MISSING_PAUSE = 60_000

function readerOf({ place, bounds }: GitMirrorOptions): RepositoryReader {
  return new RepositoryReader(place, bounds ? { bounds } : {})
}

/** A bare repository that follows one branch or tag of one remote, or holds one commit of it. */
export class GitMirror implements SourceRepository {
  readonly fetch: (signal?: AbortSignal) => Promise<Tip>
  readonly #options: GitMirrorOptions
  #reader: RepositoryReader
  /** What a read stumbled over: the next fetch rebuilds the mirror, alone as fetches are. */
  #damage: unknown
  #rebuildAfter = 0
  readonly #upkeep: Upkeep
  readonly #closing = new AbortController()
  /** Ends when nothing fetches; never rejects. */
  #fetching: Promise<unknown> = Promise.resolve()
  /** Commits with a ref of ours that were asked for since the last repack. */
  readonly #kept = new Set<string>()
  /** Commit to when to ask for it again. */
  readonly #missing = new Map<string, number>()

  constructor(options: GitMirrorOptions) {
    this.#options = options
    this.#reader = readerOf(options)
    this.#upkeep = new Upkeep(options.place, options.log, {
      beforeRepack: () => this.#dropKept(),
      afterRepack: () => this.#reader.refresh(),
      ...options.upkeep,
    })
    this.fetch = shareNext((signal) => this.#inTurn(signal, (either) => this.#fetchTip(either)))
  }

  seqOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.#reader.seqOf(commit, signal)
  }

  timeOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.#reader.timeOf(commit, signal)
  }

  async keep(commit: string, signal?: AbortSignal): Promise<boolean> {
    const here = await this.#reader.has(commit, signal)
    if (here && this.#kept.has(commit)) return true
    if (!here && Date.now() < (this.#missing.get(commit) ?? 0)) return false
    return this.#inTurn(signal, async (either) => {
      if (here) await this.#setKept(commit, either)
      else if (!(await this.#fetchKept(commit, either))) return false
      this.#kept.add(commit)
      return true
    })
  }

  contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    return this.#reader.contains(commit, ancestor, signal)
  }

  mergeOf(tip: string, pullRequest: number, signal?: AbortSignal): Promise<string | undefined> {
    return this.#reader.mergeOf(tip, pullRequest, signal)
  }

  abbreviated(prefix: string, signal?: AbortSignal): Promise<string[]> {
    return this.#reader.abbreviated(prefix, signal)
  }

  /** Subject, author and time of a commit; undefined when the mirror does not have it. */
  summaryOf(commit: string, signal?: AbortSignal): Promise<CommitSummary | undefined> {
    return this.#reader.summaryOf(commit, signal)
  }

  /** What reads it now: a rebuild puts another one in its place. */
  objects(): RepositoryReader {
    return this.#reader
  }

  /** The newest commit up to `tip` that changed a path; undefined: none did. */
  lastChange(tip: string, path: string, signal?: AbortSignal): Promise<string | undefined> {
    return this.#reader.lastChange(tip, path, signal)
  }

  /** Those of `shas` that are `commit` or its ancestors; a commit that the mirror does not have is not. */
  contained(commit: string, shas: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>> {
    return this.#reader.contained(commit, shas, signal)
  }

  tree(commit: string, signal?: AbortSignal): Promise<Tree> {
    return this.#repaired(() => this.#reader.tree(commit, signal), signal)
  }

  file(commit: string, path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    return this.#repaired(() => this.#reader.file(commit, path, signal), signal)
  }

  blobs(oids: readonly string[], signal?: AbortSignal): Promise<Buffer[]> {
    return this.#repaired(() => this.#reader.blobs(oids, signal), signal)
  }

  /** How a clone has these paths of a commit on disk: checked-out-files.ts. */
  checkedOut(
    commit: string,
    paths: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, CheckedOutFile>> {
    return checkedOutFiles({ gitDir: this.#options.place, id: commit }, paths, signal)
  }

  /** Ends what runs, and releases the folder. */
  async close(): Promise<void> {
    this.#closing.abort(new HeadraceError("git/closed", "the mirror is closed"))
    this.#reader.close()
    await this.#fetching
    await this.#upkeep.close()
    await this.#options.release()
  }

  /** One fetch at a time, with what it leaves removed when it fails. */
  #inTurn<Result>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const either = signal ? AbortSignal.any([signal, this.#closing.signal]) : this.#closing.signal
    const turn = this.#fetching.then(() => this.#tidied(either, work))
    this.#fetching = turn.catch(() => undefined)
    return turn
  }

  async #tidied<Result>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    signal.throwIfAborted()
    if (this.#upkeep.leftFiles) await this.#removeLeftovers()
    try {
      return await work(signal)
    } catch (error) {
      // What git had written of a pack when it ended stays, however large: try upon try would fill the disk.
      await this.#removeLeftovers()
      throw error
    } finally {
      this.#upkeep.afterFetch()
    }
  }

  /** What upkeep writes meanwhile looks the same as what a fetch left: then it waits for the next fetch. */
  async #removeLeftovers(): Promise<void> {
    this.#upkeep.leftFiles = this.#upkeep.isRunning
    if (!this.#upkeep.isRunning) await removeLeftovers(this.#options.place)
  }

  async #fetchTip(signal: AbortSignal): Promise<Tip> {
    try {
      if (this.#damage !== undefined) throw this.#damage
      await this.#fetchUnlocked({}, signal)
      return await this.#tip(signal)
    } catch (error) {
      if (hasCode(error, "git/object-format")) await this.#rebuild(error, signal)
      else if (error !== this.#damage && !hasCode(error, "git/damaged")) throw error
      else await this.#rebuildRarely(error, signal)
      return this.#tip(signal)
    }
  }

  /** False when the server does not give it. */
  async #fetchKept(commit: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#fetchUnlocked({ ref: commit, to: KEPT + commit }, signal)
      this.#missing.delete(commit)
      return true
    } catch (error) {
      if (!hasCode(error, "git/commit-missing")) throw error
      this.#missing.set(commit, Date.now() + MISSING_PAUSE)
      return false
    }
  }

  async #setKept(commit: string, signal: AbortSignal): Promise<void> {
    const args = ["update-ref", "--end-of-options", KEPT + commit, commit]
    await runGit({ gitDir: this.#options.place, args, signal })
  }

  /** Drops the refs of commits that nothing asked for since the last time; git keeps the commits two weeks more. */
  async #dropKept(): Promise<void> {
    const gitDir = this.#options.place
    const { stdout } = await runGit({ gitDir, args: ["for-each-ref", "--format=%(refname)", KEPT] })
    for (const ref of stdout.toString("latin1").split("\n").filter(Boolean)) {
      if (this.#kept.has(ref.slice(KEPT.length))) continue
      await runGit({ gitDir, args: ["update-ref", "-d", "--end-of-options", ref] })
    }
    this.#kept.clear()
  }

  /** A rebuild that the network ended may be tried again at once; one that came to its end may not. */
  async #rebuildRarely(reason: unknown, signal: AbortSignal): Promise<void> {
    if (Date.now() < this.#rebuildAfter) throw reason
    try {
      await this.#rebuild(reason, signal)
      this.#rebuildAfter = Date.now() + REBUILD_PAUSE
    } catch (error) {
      if (hasCode(error, "git/damaged")) this.#rebuildAfter = Date.now() + REBUILD_PAUSE
      throw error
    }
  }

  /** The folder is ours and nothing else of ours writes then, so a lock is one that a killed git left. */
  async #fetchUnlocked(what: { ref?: string; to?: string }, signal: AbortSignal): Promise<void> {
    const request = { ...this.#options, ...what, signal }
    try {
      await fetchRef(request)
    } catch (error) {
      if (!hasCode(error, "git/locked")) throw error
      await this.#upkeep.stop()
      await this.#removeLeftovers()
      await fetchRef(request)
    }
  }

  async #tip(signal: AbortSignal): Promise<Tip> {
    const commit = await this.#reader.commitAt(`${TIP}^{commit}`, signal)
    const seq = await this.#reader.seqOf(commit, signal)
    if (seq === undefined) throw new HeadraceError("git/missing-object", `the mirror lost ${commit}`)
    return { commit, seq }
  }

  /** Reads, and when the mirror turns out to be damaged, fetches it again and reads again. */
  async #repaired<T>(read: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const before = this.#reader
    try {
      return await this.#readAfterFetch(read)
    } catch (error) {
      if (!(await isDamage(error, this.#options.place, signal))) throw error
      if (this.#reader === before) {
        this.#damage ??= error
        await this.fetch(signal)
      }
      return read()
    }
  }

  /** What a fetch that is under way brings is no damage: a new mirror is empty until its first one has ended. */
  async #readAfterFetch<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (!hasCode(error, "git/missing-object")) throw error
      await this.#fetching
      return read()
    }
  }

  /** Fetches everything into a new repository beside the old one, then puts it in its place. */
  async #rebuild(reason: unknown, signal: AbortSignal): Promise<void> {
    const { place, log } = this.#options
    log.warn({ err: errorText(reason) }, "the mirror cannot be used as it is and is fetched again")
    const fresh = `${place}.new-rebuild`
    await this.#fetchWhole(fresh, "sha1", signal).catch(async (error: unknown) => {
      if (!hasCode(error, "git/object-format")) throw error
      await this.#fetchWhole(fresh, "sha256", signal)
    })
    await this.#upkeep.stop()
    const old = this.#reader
    await swapMirror(fresh, place)
    this.#reader = readerOf(this.#options)
    this.#damage = undefined
    this.#kept.clear()
    old.close()
    log.info("the mirror is whole again")
  }

  async #fetchWhole(place: string, format: ObjectFormat, signal: AbortSignal): Promise<void> {
    await createMirror(place, this.#options.identity, format)
    await fetchRef({ ...this.#options, place, signal })
  }
}
