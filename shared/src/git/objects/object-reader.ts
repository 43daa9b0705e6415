import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { HeadraceError } from "../../foundation/errors.ts"
import { startFolder } from "../../foundation/start-folder.ts"
import { gitEnvironment } from "../process/git-environment.ts"
import { gitFailure } from "../process/git-failure.ts"
import { endGroup } from "../process/run-git.ts"
import { BatchParser, type FoundObject } from "./batch-parser.ts"

interface Request {
  name: string
  /** How often git died with this one at its head. */
  deaths: number
  resolve(found: FoundObject | undefined): void
  reject(error: unknown): void
}

/** Requests written ahead of their answers: enough to keep git busy, few enough that an abort is prompt. */
const WRITTEN_AHEAD = 128
/** As many are written by one call, while git still has as many to answer: a call for each took longer than reading it. */
const WRITTEN_TOGETHER = 64
/** Of one request, before it counts as the cause. */
const MOST_DEATHS = 2
const SILENCE = 60_000

/**
 * Objects through one long-lived `git cat-file`: a process for each would cost 3 ms, this costs microseconds.
 * Started at the first read and again when it died; what was asked is asked again.
 */
export class ObjectReader {
  readonly #gitDir: string
  readonly #withContent: boolean
  readonly #patience: number
  #child: ChildProcessWithoutNullStreams | undefined
  #waiting: Request[] = []
  #written: Request[] = []
  #silence: NodeJS.Timeout | undefined
  #closed = false
  /** True when the process is to be replaced once it has answered. */
  #isStale = false

  /**
   * With contents (`--batch`) or only type and size (`--batch-check`). A git that says nothing for `silence`
   * milliseconds, though it was asked, is restarted.
   */
  constructor(gitDir: string, reads: "contents" | "sizes", silence = SILENCE) {
    this.#gitDir = gitDir
    this.#patience = silence
    this.#withContent = reads === "contents"
  }

  /**
   * What git has under each name, in order; undefined: no such object. A name holds no line break.
   * Throws the signal's reason, `git/damaged`, `git/object-too-large`, `git/reader-died`, `git/closed`.
   */
  async read(names: readonly string[], signal?: AbortSignal): Promise<(FoundObject | undefined)[]> {
    signal?.throwIfAborted()
    if (this.#closed) throw closedError()
    const requests = new Set<Request>()
    const answers = names.map(
      (name) =>
        new Promise<FoundObject | undefined>((resolve, reject) => {
          const request: Request = { name, deaths: 0, resolve, reject }
          requests.add(request)
          this.#waiting.push(request)
        }),
    )
    const onAbort = () => {
      this.#waiting = this.#waiting.filter((request) => !requests.has(request))
      for (const request of requests) request.reject(signal?.reason)
    }
    signal?.addEventListener("abort", onAbort, { once: true })
    this.#write()
    try {
      return await Promise.all(answers)
    } finally {
      signal?.removeEventListener("abort", onAbort)
    }
  }

  /** Has the next read see the repository as it is now: a process goes on reading packs that were removed. */
  refresh(): void {
    this.#isStale = this.#written.length > 0
    if (this.#isStale) return
    const child = this.#child
    this.#child = undefined
    this.#stopClock()
    child?.stdin.end()
  }

  /** Ends the process; what is unanswered fails. */
  close(): void {
    this.#closed = true
    const child = this.#child
    this.#fail(closedError())
    if (child) endGroup(child)
  }

  #write(): void {
    if (this.#waiting.length === 0) return
    this.#child ??= this.#start()
    const room = WRITTEN_AHEAD - this.#written.length
    if (room >= WRITTEN_TOGETHER && !this.#isStale) {
      const next = this.#waiting.splice(0, room)
      this.#written.push(...next)
      this.#child.stdin.write(next.map(({ name }) => `${name}\n`).join(""))
    }
    // From the first that waits: were it reset by each that follows, a git that is asked on and on could be silent for ever.
    if (this.#silence === undefined) this.#startClock(this.#child)
  }

  #start(): ChildProcessWithoutNullStreams {
    const mode = this.#withContent ? "--batch" : "--batch-check"
    const child = spawn("git", [`--git-dir=${this.#gitDir}`, "cat-file", mode], {
      cwd: startFolder(),
      env: gitEnvironment(),
      stdio: "pipe",
      detached: true,
    })
    const parser = new BatchParser(this.#withContent, (found) => {
      const request = this.#written.shift()
      if (found instanceof HeadraceError) request?.reject(found)
      else request?.resolve(found)
    })
    let complaint = ""
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("latin1")).slice(-4096)
    })
    child.stdout.on("data", (chunk: Buffer) => {
      if (this.#child !== child) return
      try {
        parser.push(chunk)
        if (this.#isStale && this.#written.length === 0) this.refresh()
        this.#write()
      } catch (error) {
        complaint += String(error)
        endGroup(child)
      }
      if (this.#written.length === 0) this.#stopClock()
      else if (this.#child !== undefined) this.#startClock(this.#child)
    })
    child.stdin.on("error", () => {})
    child.once("error", (cause) => this.#died(child, String(cause), null))
    child.once("close", (code) => this.#died(child, complaint, code))
    this.#startClock(child)
    return child
  }

  #startClock(child: ChildProcessWithoutNullStreams): void {
    this.#stopClock()
    this.#silence = setTimeout(() => endGroup(child), this.#patience)
  }

  #stopClock(): void {
    clearTimeout(this.#silence)
    this.#silence = undefined
  }

  #died(child: ChildProcessWithoutNullStreams, complaint: string, code: number | null): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#stopClock()
    const [head, ...others] = this.#written
    this.#written = []
    if (head !== undefined && ++head.deaths >= MOST_DEATHS) {
      const failure = gitFailure("cat-file", code, complaint)
      head.reject(failure.code === "git/failed" ? readerDied(failure) : failure)
      this.#waiting.unshift(...others)
    } else if (head !== undefined) {
      this.#waiting.unshift(head, ...others)
    }
    this.#write()
  }

  #fail(error: HeadraceError): void {
    this.#stopClock()
    this.#child = undefined
    for (const request of [...this.#written, ...this.#waiting]) request.reject(error)
    this.#written = []
    this.#waiting = []
  }
}

function closedError(): HeadraceError {
  return new HeadraceError("git/closed", "the mirror is closed")
}

function readerDied(cause: HeadraceError): HeadraceError {
  return new HeadraceError("git/reader-died", "git cat-file died over and over", { cause })
}
