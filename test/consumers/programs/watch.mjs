// Watchers of Node: fs.watch as its manual shows it, and two versions of chokidar. Each watch is one argument, as JSON:
// {id, how, watch, base?, files}. Prints `ID SEQ` for each reading, `ID mixed`, `ID unreadable`.
import fs from "node:fs"
import chokidarNew from "chokidar"
import chokidarOld from "chokidar-3"

const HOW = {
  "fs.watch": watchByNode,
  "chokidar-3": watchByChokidar(chokidarOld),
  chokidar: watchByChokidar(chokidarNew),
}
const ATTEMPTS = 20

for (const argument of process.argv.slice(2)) {
  const watch = JSON.parse(argument)
  HOW[watch.how](watch, onceAtATime(watch))
}

/** One reading for all events that come together. */
function onceAtATime(watch) {
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    setImmediate(() => {
      isDue = false
      report(watch)
    })
  }
}

/** A watch ends with its inode: after `rename` the path is watched again (nodejs.org/api/fs.html#inodes). */
function watchByNode({ watch, isFolder }, read) {
  try {
    const watcher = fs.watch(watch, (event) => {
      if (event === "rename" && !isFolder) {
        watcher.close()
        watchByNode({ watch, isFolder }, read)
      } else read()
    })
    watcher.on("error", () => undefined)
  } catch {
    setTimeout(() => watchByNode({ watch, isFolder }, read), 50)
  }
  read()
}

function watchByChokidar(chokidar) {
  return ({ watch }, read) => {
    chokidar.watch(watch, { ignoreInitial: true }).on("all", read).on("ready", read)
  }
}

function report({ id, base, files }, attempt = 1) {
  const seqs = readAll(base, files)
  if (seqs === undefined) {
    if (attempt < ATTEMPTS) return setTimeout(() => report({ id, base, files }, attempt + 1), 5)
    return process.stdout.write(`${id} unreadable\n`)
  }
  const whole = seqs.every((seq) => seq !== undefined && seq === seqs[0])
  process.stdout.write(whole ? `${id} ${seqs[0]}\n` : `${id} mixed\n`)
}

/** What files of one folder say, opened once, so that all are read beneath the same inode; without a folder, by path. */
function readAll(base, files) {
  let folder
  try {
    if (base) folder = fs.openSync(base, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
    const at = base ? `/proc/self/fd/${folder}/` : ""
    return files.map((file) => seqOf(fs.readFileSync(`${at}${file}`, "utf8")))
  } catch {
    return undefined
  } finally {
    if (folder !== undefined) fs.closeSync(folder)
  }
}

function seqOf(text) {
  const [, first, last] = /^seq (\d+)\n-+\nend (\d+)\n$/.exec(text) ?? []
  return first === last ? first : undefined
}
