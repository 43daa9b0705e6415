import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import type { Log } from "../../observe/log.ts"
import type { Tree } from "../../plan/tree.ts"
import type { RemoteAuth } from "../git-login.ts"
import { itemAt } from "../links/sorted-paths.ts"
import { runGit } from "../process/run-git.ts"
import type { SourceRepository, Tip } from "../source-repository.ts"
import { fetchBranch, TIP } from "./fetch-branch.ts"
import { isDamage } from "./is-damage.ts"
import { createMirror, type MirrorIdentity, removeLeftovers, swapMirror } from "./mirror-folder.ts"
import { checkId, closeReading, missing, openReading, type Reading, readContents } from "./reading.ts"
import { shareNext, untilAborted } from "./share-next.ts"
import { Upkeep, type UpkeepOptions } from "./upkeep.ts"

export interface GitMirrorOptions {
  url: string
  branch: string
  auth?: RemoteAuth
  /** The bare repository's folder. */
  place: string
  identity: MirrorIdentity
  log: Log
  fetchTimeout?: number
  upkeep?: UpkeepOptions
  /** Lets go of the folder. */
  release(): Promise<void>
}

/** Milliseconds between rebuilds: one that does not help must not fetch the whole history at every poll. */
const REBUILD_PAUSE = 300_000

/** A bare repository that follows one branch of one remote. */
export class GitMirror implements SourceRepository {
  readonly fetch: (signal?: AbortSignal) => Promise<Tip>
  readonly #options: GitMirrorOptions
  #reading: Reading
  /** What a read stumbled over: the next fetch makes the mirror anew, alone as fetches are. */
  #damage: unknown
  #rebuildAfter = 0
  readonly #upkeep: Upkeep
  readonly #closing = new AbortController()

  constructor(options: GitMirrorOptions) {
    this.#options = options
    this.#reading = openReading(options.place)
    this.#upkeep = new Upkeep(options.place, options.log, options.upkeep)
    this.fetch = shareNext((signal) => this.#fetchTended(AbortSignal.any([signal, this.#closing.signal])))
  }

  async seqOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    if (!(await this.#has(commit, signal))) return undefined
    return this.#reading.counts.count(commit, signal)
  }

  async contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    if (!(await this.#has(commit, signal))) throw missing("commit", commit)
    if (!(await this.#has(ancestor, signal))) return false
    const args = ["merge-base", "--is-ancestor", ancestor, commit]
    const { code } = await runGit({ gitDir: this.#options.place, args, signal, answers: [1] })
    return code === 0
  }

  async tree(commit: string, signal?: AbortSignal): Promise<Tree> {
    checkId(commit)
    return untilAborted(
      this.#repaired(() => this.#treeNow(commit)),
      signal,
    )
  }

  async file(commit: string, path: string, signal?: AbortSignal): Promise<Buffer | undefined> {
    const tree = await this.tree(commit, signal)
    const file = itemAt(tree.files, path)
    if (file === undefined) return undefined
    const [content] = await this.blobs([file.oid], signal)
    return content
  }

  async blobs(oids: readonly string[], signal?: AbortSignal): Promise<Buffer[]> {
    return this.#repaired(() => readContents(this.#reading, oids, signal))
  }

  /** Ends what runs, and lets go of the folder. */
  async close(): Promise<void> {
    this.#closing.abort(new HeadraceError("git/closed", "the mirror is closed"))
    closeReading(this.#reading)
    await this.#upkeep.close()
    await this.#options.release()
  }

  async #fetchTended(signal: AbortSignal): Promise<Tip> {
    signal.throwIfAborted()
    await this.#upkeep.pause()
    try {
      return await this.#fetchNow(signal)
    } finally {
      if (!this.#closing.signal.aborted) this.#upkeep.resume()
    }
  }

  async #fetchNow(signal: AbortSignal): Promise<Tip> {
    try {
      if (this.#damage !== undefined) throw this.#damage
      await this.#fetchUnlocked(signal)
      return await this.#tip(signal)
    } catch (error) {
      if (error !== this.#damage && !hasCode(error, "git/damaged")) throw error
      await this.#rebuildRarely(error, signal)
      return this.#tip(signal)
    }
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

  /** The folder is ours and nothing else of ours writes now, so a lock is one that a killed git left. */
  async #fetchUnlocked(signal: AbortSignal): Promise<void> {
    try {
      await fetchBranch({ ...this.#options, signal })
    } catch (error) {
      if (!hasCode(error, "git/locked")) throw error
      await removeLeftovers(this.#options.place)
      await fetchBranch({ ...this.#options, signal })
    }
  }

  async #tip(signal: AbortSignal): Promise<Tip> {
    const [tip] = await this.#reading.sizes.read([TIP], signal)
    if (tip === undefined) throw missing("commit", TIP)
    return { commit: tip.oid, seq: await this.#reading.counts.count(tip.oid, signal) }
  }

  async #treeNow(commit: string): Promise<Tree> {
    if (!(await this.#has(commit))) throw missing("commit", commit)
    return this.#reading.trees.get(commit)
  }

  async #has(commit: string, signal?: AbortSignal): Promise<boolean> {
    checkId(commit)
    const [found] = await this.#reading.sizes.read([commit], signal)
    return found?.type === "commit"
  }

  /** Reads, and when the mirror turns out to be damaged, fetches it anew and reads again. */
  async #repaired<T>(read: () => Promise<T>): Promise<T> {
    const before = this.#reading
    try {
      return await read()
    } catch (error) {
      if (!(await isDamage(error, this.#options.place))) throw error
      if (this.#reading === before) {
        this.#damage ??= error
        await this.fetch()
      }
      return read()
    }
  }

  /** Fetches everything into a new repository beside the old one, then puts it in its place. */
  async #rebuild(reason: unknown, signal: AbortSignal): Promise<void> {
    const { place, identity, log } = this.#options
    log.warn({ error: String(reason) }, "the mirror is damaged and is fetched anew")
    const fresh = `${place}.new-rebuild`
    await createMirror(fresh, identity)
    await fetchBranch({ ...this.#options, place: fresh, signal })
    const old = this.#reading
    await swapMirror(fresh, place)
    this.#reading = openReading(place)
    this.#damage = undefined
    closeReading(old)
    log.info("the mirror is whole again")
  }
}
