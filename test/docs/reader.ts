import { type ChildProcess, spawn } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type CommandBlock, hasPrinted } from "./command-blocks.ts"

/** How long a block may take on a machine with a dozen times the work that it can do. */
const LIMIT_MS = 180_000
const LOOK_MS = 100

/** Where a reader of a page is: an empty HOME, and the folder that the page begins in. */
export interface ReaderPlace {
  /** Becomes HOME. */
  home: string
  /** Where the first block runs; the next ones where the one before it ended. */
  start: string
  env: Record<string, string>
  /** Paths of this machine that a page names, and where they are here. */
  replaced?: readonly (readonly [string, string])[]
}

export interface Reader {
  /** Types a block; throws with what it printed when it ends otherwise than the page has it. */
  type(block: CommandBlock): Promise<void>
  /** Ends what still runs. */
  leave(): Promise<void>
}

interface Run {
  child: ChildProcess
  output(): string
  ended: Promise<number | null>
}

/**
 * A reader who types a page's blocks one after the other into a shell. Folder and exported variables carry over from block
 * to block; a block that runs until it is stopped has a shell of its own, as in a second terminal.
 */
export async function openReader(place: ReaderPlace): Promise<Reader> {
  await mkdir(place.home, { recursive: true })
  const state = join(place.home, ".reader-state")
  await writeFile(state, `cd '${place.start}'\n`)
  const running: Run[] = []

  async function typeOne(block: CommandBlock, exitCodes: readonly number[]): Promise<void> {
    const save = `{ printf 'cd %q\\n' "$PWD"; export -p; } > '${state}'`
    const run = startShell(
      place,
      `. '${state}'\ntrap '${save.replaceAll("'", "'\\''")}' EXIT\n${here(block.text, place)}`,
    )
    const code = await within(run)
    if (code === null || !exitCodes.includes(code))
      throw new Error(`${block.text}ended with ${code}, not ${exitCodes.join(" or ")}:\n${run.output()}`)
    if (block.prints === undefined || hasPrinted(run.output(), here(block.prints, place))) return
    throw new Error(`${block.text}printed\n${run.output()}\nand the page shows\n${block.prints}`)
  }

  async function typeAgain(block: CommandBlock, exitCodes: readonly number[]): Promise<void> {
    const end = Date.now() + LIMIT_MS
    for (;;) {
      const failure = await typeOne(block, exitCodes).catch((error: unknown) => error)
      if (failure === undefined) return
      if (Date.now() > end) throw failure
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  async function typeBeside(block: CommandBlock): Promise<void> {
    const { prints } = block
    if (prints === undefined) throw new Error("the page does not show what it prints once it is up")
    const run = startShell(place, `. '${state}'\n${here(block.text, place)}`)
    running.push(run)
    const end = Date.now() + LIMIT_MS
    while (!hasPrinted(run.output(), here(prints, place))) {
      if (run.child.exitCode !== null || Date.now() > end) {
        throw new Error(`${block.text}has not printed what the page shows:\n${run.output()}`)
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  return {
    async type(block) {
      if (block.order.kind !== "run") return
      if (block.order.isRepeated) return typeAgain(block, block.order.exitCodes)
      await (block.order.isUntilStopped ? typeBeside(block) : typeOne(block, block.order.exitCodes))
    },
    async leave() {
      // As Ctrl-C does: the whole foreground group.
      for (const { child } of running)
        if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT")
      await Promise.all(running.map(within))
    },
  }
}

function startShell({ home, env }: ReaderPlace, text: string): Run {
  const child = spawn("bash", ["--norc", "--noprofile", "-eo", "pipefail", "-c", text], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { HOME: home, TERM: "dumb", LANG: "C.UTF-8", ...env },
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (part: string) => {
      output += part
    })
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)))
  return { child, output: () => output, ended }
}

async function within({ child, ended }: Run): Promise<number | null> {
  const timer = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), LIMIT_MS)
  try {
    return await ended
  } finally {
    clearTimeout(timer)
  }
}

function here(text: string, { replaced = [] }: ReaderPlace): string {
  return replaced.reduce((all, [from, to]) => all.replaceAll(from, to), text)
}

/** The text of a page of this repository. */
export function readPage(page: string): Promise<string> {
  return readFile(join(import.meta.dirname, "../..", page), "utf8")
}
