import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Consumer, type Report, type Running, rowOf } from "./consumer.ts"
import { idleProcess } from "./idle-process.ts"
import { runReporting } from "./run-program.ts"
import type { Site, Through } from "./site.ts"

const PROGRAMS = join(dirname(fileURLToPath(import.meta.url)), "programs")
const CACHE = join(dirname(fileURLToPath(import.meta.url)), "../../.cache/consumers")
/** Where Debian's packages of Go libraries are. */
const GO_LIBRARIES = "/usr/share/gocode"
/** Not a Python of the user's own: Debian's packages belong to this one. */
const PYTHON = "/usr/bin/python3"
const WATCHDOG = "/usr/lib/python3/dist-packages/watchdog"
const EVERYTHING = ["a flat file", "a nested file", "a nested folder", "the root"] as const
/** A process that waits without a timeout, in proc(5)'s `syscall`: poll(2) of x86-64, ppoll(2) of arm64. */
const POLLS = /^(7 \S+ \S+ 0xf+ |73 \S+ \S+ 0x0 )/
const FILES = ["a flat file", "a nested file"] as const

/** Watchers of Node, a process for each way: what one of them has to do keeps no other one waiting. */
function nodeWatcher(name: string, how: string): Consumer {
  return {
    name,
    needs: [],
    through: EVERYTHING,
    start: async (site, report, through) =>
      startAll(through, (way) => {
        const watch = JSON.stringify({ id: 0, how, ...site.place(way) })
        const args = [join(PROGRAMS, "watch.mjs"), watch]
        const rows = [rowOf(name, way)]
        return whenIdle(runReporting({ command: process.execPath, args }, rows, report), rows)
      }),
  }
}

/** A watcher that handles an event after it was heard of listens when its process waits. */
function whenIdle(running: Running & { pid: number }, rows: readonly string[]): Running {
  const isIdle = idleProcess(running.pid)
  return { ...running, listens: (isAwaited) => !rows.some(isAwaited) || isIdle() }
}

/** Python's watchdog, recursive at the root. */
export const watchdog: Consumer = {
  name: "Python watchdog",
  needs: [PYTHON, WATCHDOG],
  // It watches folders: a file is watched through its folder.
  through: EVERYTHING,
  start: async (site, report, through) => {
    const args = through.map((way, id) =>
      JSON.stringify({ id, recursive: way === "the root", ...site.place(way) }),
    )
    const rows = through.map((way) => rowOf("Python watchdog", way))
    const program = { command: PYTHON, args: [join(PROGRAMS, "watch.py"), ...args] }
    return whenIdle(runReporting(program, rows, report), rows)
  },
}

/** A shell script for each way. `listens`: whether the program that a script has started does; always unless given. */
function shellWatcher(
  name: string,
  program: string,
  script: string,
  listens: (script: number) => boolean = () => true,
): Consumer {
  return {
    name,
    needs: [program],
    through: EVERYTHING,
    start: async (site, report, through) => startAll(through, (way) => startScript(site, way, report)),
  }

  function startScript(site: Site, way: Through, report: Report): Running {
    const { watch, isFolder, base, files } = site.place(way)
    const once = [join(PROGRAMS, "read-once.sh"), "0", base ?? "-", ...files]
    const args = [join(PROGRAMS, script), isFolder ? "folder" : "file", watch, ...once]
    const row = rowOf(name, way)
    const running = runReporting({ command: "bash", args }, [row], report)
    return { ...running, listens: (isAwaited) => !isAwaited(row) || listens(running.pid) }
  }
}

async function startAll(through: readonly Through[], start: (way: Through) => Running): Promise<Running> {
  const running = through.map(start)
  return {
    listens: (isAwaited) => running.every((each) => each.listens?.(isAwaited) ?? true),
    stop: async () => void (await Promise.all(running.map((each) => each.stop()))),
  }
}

/** Watchers by the scheme of a Go program; `files` of certwatcher are a pair, those of Prow all that it walks. */
function goWatcher(
  name: string,
  how: string,
  through: readonly Through[],
  watches: GoWatch = (site, way) => site.place(way),
): Consumer {
  return {
    name,
    needs: [
      "go",
      join(GO_LIBRARIES, "src/github.com/fsnotify/fsnotify"),
      join(GO_LIBRARIES, "src/github.com/spf13/viper"),
    ],
    through,
    start: async (site, report, chosen) => {
      const args = chosen.map((way, id) => JSON.stringify({ how, ...watches(site, way), id: `${id}` }))
      return runReporting(
        { command: builtProgram(), args },
        chosen.map((way) => rowOf(name, way)),
        report,
      )
    },
  }
}

type GoWatch = (site: Site, way: Through) => { watch: string; files: readonly string[]; base?: string }

/** Built once for a version of its source. */
function builtProgram(): string {
  const source = join(PROGRAMS, "watch.go")
  const version = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 12)
  const program = join(CACHE, `watch-${version}`)
  if (existsSync(program)) return program
  mkdirSync(CACHE, { recursive: true })
  // Debian's way: libraries by GOPATH, no module and no network.
  const env = { ...process.env, GO111MODULE: "off", GOPATH: GO_LIBRARIES, GOFLAGS: "" }
  execFileSync("go", ["build", "-o", program, source], { env, stdio: ["ignore", "ignore", "inherit"] })
  return program
}

function pairOf(site: Site, way: Through): ReturnType<GoWatch> {
  const folder = way === "a nested file" ? "d/e/" : ""
  const files = ["conf.txt", "pair.txt"].map((name) => site.path(`${folder}${name}`))
  return { watch: files[0] ?? "", files }
}

function jobsOf(site: Site, way: Through): ReturnType<GoWatch> {
  if (way === "a flat file") return { watch: site.root, files: ["conf.txt", "pair.txt"] }
  if (way === "a nested folder") return { watch: site.path("d"), files: ["e/conf.txt", "e/pair.txt"] }
  return { watch: site.root, files: ["conf.txt", "pair.txt", "d/e/conf.txt", "d/e/pair.txt"] }
}

/** An `app.yaml`, since viper wants a format that it knows. */
function yamlOf(site: Site, way: Through): ReturnType<GoWatch> {
  return { watch: site.path(way === "a nested file" ? "d/e/app.yaml" : "app.yaml"), files: [] }
}

/**
 * Whether entr waits for events: it drops those of the 50 ms after its command, so as not to be woken by that itself
 * (eradman/entr, run_utility and the flush that follows it). Where /proc does not say, it counts as waiting.
 */
function entrListens(script: number): boolean {
  try {
    const children = readFileSync(`/proc/${script}/task/${script}/children`, "utf8").trim().split(" ")
    return children.some((pid) => POLLS.test(readFileSync(`/proc/${pid}/syscall`, "utf8")))
  } catch {
    return !existsSync(`/proc/${script}/syscall`)
  }
}

export const inotifywait = shellWatcher("inotifywait", "inotifywait", "watch-by-inotifywait.sh")
export const entr = shellWatcher("entr", "entr", "watch-by-entr.sh", entrListens)
export const fsWatch = nodeWatcher("Node fs.watch", "fs.watch")
export const chokidarOld = nodeWatcher("chokidar 3.6", "chokidar-3")
export const chokidarNew = nodeWatcher("chokidar 6.0", "chokidar")
export const fsnotify = goWatcher("Go fsnotify 1.6", "fsnotify", EVERYTHING)
export const viper = goWatcher("Go viper 1.10", "viper", FILES, yamlOf)
export const certwatcher = goWatcher("certwatcher's scheme", "certwatcher", FILES, pairOf)
export const kubelet = goWatcher("kubelet's static manifests", "kubelet", ["a nested folder", "the root"])
export const prow = goWatcher(
  "Prow's walk and poll",
  "prow",
  ["a flat file", "a nested folder", "the root"],
  jobsOf,
)
