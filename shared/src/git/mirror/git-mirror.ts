import { HeadraceError, hasCode } from "../../foundation/errors.ts"
import type { Log } from "../../observe/log.ts"
import type { Tree } from "../../plan/tree.ts"
import type { RemoteAuth } from "../git-login.ts"
import { itemAt } from "../links/sorted-paths.ts"
import { ObjectReader } from "../objects/object-reader.ts"
import { runGit } from "../process/run-git.ts"
import type { SourceRepository, Tip } from "../source-repository.ts"
import { TreeCache } from "../tree/tree-cache.ts"
import { CommitCounts } from "./commit-counts.ts"
import { fetchBranch, TIP } from "./fetch-branch.ts"
import { createMirror, type MirrorIdentity, removeLeftovers, swapMirror } from "./mirror-folder.ts"
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

/** What is known of the repository at `place`, and the processes that read it; gone when it is replaced. */
interface Reading {
  contents: ObjectReader
  sizes: ObjectReader
  trees: TreeCache
  counts: CommitCounts
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
      if (Date.now() < this.#rebuildAfter) throw error
      this.#rebuildAfter = Date.now() + REBUILD_PAUSE
      await this.#rebuild(error, signal)
      return this.#tip(signal)
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
      if (!(await this.#isDamage(error))) throw error
      if (this.#reading === before) {
        this.#damage ??= error
        await this.fetch()
      }
      return read()
    }
  }

  /** An object may be missing because it was never here; damage is when the tip lacks one of its own. */
  async #isDamage(error: unknown): Promise<boolean> {
    if (hasCode(error, "git/damaged") || hasCode(error, "git/reader-died")) return true
    if (!hasCode(error, "git/missing-object")) return false
    const args = ["rev-list", "--objects", "--quiet", TIP, "--"]
    const walk = runGit({ gitDir: this.#options.place, args, timeout: 600_000 })
    return walk.then(
      () => false,
      (fault: unknown) => hasCode(fault, "git/damaged"),
    )
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

function openReading(place: string): Reading {
  const contents = new ObjectReader(place, "contents")
  const sizes = new ObjectReader(place, "sizes")
  const reading = { contents, sizes, counts: new CommitCounts(place) }
  const trees = new TreeCache(place, {
    contents: (oids) => readContents(reading, oids),
    sizes: async (oids) => {
      const found = await sizes.read(oids)
      return found.map((object, index) => (object ?? missingBlob(oids, index)).size)
    },
  })
  return { ...reading, trees }
}

function closeReading(reading: Reading): void {
  reading.contents.close()
  reading.sizes.close()
}

async function readContents(
  reading: { contents: ObjectReader },
  oids: readonly string[],
  signal?: AbortSignal,
): Promise<Buffer[]> {
  for (const oid of oids) checkId(oid)
  const found = await reading.contents.read(oids, signal)
  return found.map((object, index) => {
    if (object?.type !== "blob") return missingBlob(oids, index)
    return object.content
  })
}

function missingBlob(oids: readonly string[], index: number): never {
  throw missing("blob", oids[index] ?? "")
}

function missing(kind: string, name: string): HeadraceError {
  return new HeadraceError("git/missing-object", `the mirror has no ${kind} ${name}`, {
    hint: "It was never on the followed branch, or was force-pushed away and has been dropped.",
  })
}

function checkId(id: string): void {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return
  throw new HeadraceError("git/bad-id", `${JSON.stringify(id)} is not a full object id`)
}
