// Loaded into an agent's process by a test (NODE_OPTIONS=--import): what code could try that got into it.
import { spawnSync } from "node:child_process"
import fs from "node:fs"
import { Worker } from "node:worker_threads"

const { INJECTED_REPORT: report, INJECTED_PLACES: places = "" } = process.env

/** Before it, the process has not confined itself yet. */
if (process.env.HEADRACE_CONFINED_PROCESS !== undefined && report !== undefined) {
  const tried = places.split(":").map(async (place) => [place, await attempts(place)])
  fs.writeFileSync(`${report}.draft`, JSON.stringify(Object.fromEntries(await Promise.all(tried))))
  fs.renameSync(`${report}.draft`, report)
}

/** What came of each way to make a file in a folder: "written", or an errno. */
async function attempts(place) {
  return {
    synchronous: await outcome(() => fs.writeFileSync(`${place}/synchronous`, "")),
    threadPool: await outcome(() => fs.promises.writeFile(`${place}/thread-pool`, "")),
    link: await outcome(() => fs.promises.symlink("x", `${place}/link`)),
    folder: await outcome(() => fs.promises.mkdir(`${place}/folder`)),
    worker: await outcome(() => inWorker(`${place}/worker`)),
    child: await outcome(() => inChild(`${place}/child`)),
  }
}

async function outcome(write) {
  try {
    await write()
    return "written"
  } catch (error) {
    return error.code ?? error.message
  }
}

function inWorker(file) {
  const code = `require("node:fs").writeFileSync(${JSON.stringify(file)}, "")`
  return new Promise((resolve, reject) => {
    new Worker(code, { eval: true, execArgv: [], env: {} }).on("error", reject).on("exit", resolve)
  })
}

function inChild(file) {
  const { status } = spawnSync("sh", ["-c", 'echo > "$1"', "sh", file])
  if (status !== 0) throw Object.assign(new Error("denied"), { code: "EACCES" })
}
