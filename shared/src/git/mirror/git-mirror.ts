import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import { shareNext } from "../../foundation/share-next.ts"
import type { Tree } from "../../foundation/tree.ts"
import type { Log } from "../../observe/log.ts"
import type { RemoteAuth } from "../git-login.ts"
import { RepositoryReader } from "../objects/repository-reader.ts"
import type { SourceRepository, Tip } from "../source-repository.ts"
import { fetchRef, TIP } from "./fetch-ref.ts"
import { isDamage } from "./is-damage.ts"
import { createMirror, type MirrorIdentity, swapMirror } from "./mirror-folder.ts"
import { removeLeftovers } from "./remove-leftovers.ts"
import { Upkeep, type UpkeepOptions } from "./upkeep.ts"

export interface GitMirrorOptions {
  url: string
  /** What it follows: `refs/heads/NAME`, `refs/tags/NAME` or a commit's full id. */
  ref: string
  auth?: RemoteAuth
  /** The bare repository's folder. */
  place: string
  identity: MirrorIdentity
  log: Log
  fetchTimeout?: number
  upkeep?: UpkeepOptions
  /** Releases the folder. */
  release(): Promise<void>
}

/** Milliseconds between rebuilds: one that does not help must not fetch the whole history at every poll. */
const REBUILD_PAUSE = 300_000

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
  /** Never rejects. */
  #fetching: Promise<unknown> = Promise.resolve()

  constructor(options: GitMirrorOptions) {
    this.#options = options
    this.#reader = new RepositoryReader(options.place)
    this.#upkeep = new Upkeep(options.place, options.log, options.upkeep)
    this.fetch = shareNext((signal) => {
      const tip = this.#fetchTended(AbortSignal.any([signal, this.#closing.signal]))
      this.#fetching = tip.catch(() => undefined)
      return tip
    })
  }

  seqOf(commit: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.#reader.seqOf(commit, signal)
  }

  contains(commit: string, ancestor: string, signal?: AbortSignal): Promise<boolean> {
    return this.#reader.contains(commit, ancestor, signal)
  }

  mergeOf(tip: string, pullRequest: number, signal?: AbortSignal): Promise<string | undefined> {
    return this.#reader.mergeOf(tip, pullRequest, signal)
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

  /** Ends what runs, and releases the folder. */
  async close(): Promise<void> {
    this.#closing.abort(new HeadraceError("git/closed", "the mirror is closed"))
    this.#reader.close()
    await this.#fetching
    await this.#upkeep.close()
    await this.#options.release()
  }

  async #fetchTended(signal: AbortSignal): Promise<Tip> {
    signal.throwIfAborted()
    await this.#upkeep.pause()
    try {
      return await this.#fetchNow(signal)
    } catch (error) {
      // What git had written of a pack when it ended stays, however large: try upon try would fill the disk.
      await removeLeftovers(this.#options.place)
      throw error
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
      await fetchRef({ ...this.#options, signal })
    } catch (error) {
      if (!hasCode(error, "git/locked")) throw error
      await removeLeftovers(this.#options.place)
      await fetchRef({ ...this.#options, signal })
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
      return await read()
    } catch (error) {
      if (!(await isDamage(error, this.#options.place, signal))) throw error
      if (this.#reader === before) {
        this.#damage ??= error
        await this.fetch(signal)
      }
      return read()
    }
  }

  /** Fetches everything into a new repository beside the old one, then puts it in its place. */
  async #rebuild(reason: unknown, signal: AbortSignal): Promise<void> {
    const { place, identity, log } = this.#options
    log.warn({ err: String(reason) }, "the mirror is damaged and is fetched again")
    const fresh = `${place}.new-rebuild`
    await createMirror(fresh, identity)
    await fetchRef({ ...this.#options, place: fresh, signal })
    const old = this.#reader
    await swapMirror(fresh, place)
    this.#reader = new RepositoryReader(place)
    this.#damage = undefined
    old.close()
    log.info("the mirror is whole again")
  }
}
