import { spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { startEmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"
import { freePort } from "@headrace/config/local/free-port"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { createLog } from "@headrace/shared/observe/log"
import { until } from "../harness/until.ts"
import { withFolder } from "../harness/with-folder.ts"
import { NAMESPACE, SOURCE, writeRevision } from "../harness/write-revision.ts"
import { quantile } from "./quantile.ts"

const PROGRAM = join(import.meta.dirname, "../../agent/bundle/main.js")
const FILES = Number(process.env.HEADRACE_BENCH_FILES ?? 1000)
const STARTS = 5
const READY = `${FILES.toLocaleString("en")} files, no API server: start to verified and shown, p50 s`

export const goals = { [READY]: 1 }

/**
 * The start of a node whose API server does not answer: until the packed agent says that it shows a revision that it has
 * verified, each file by its digest. The files are there before; nobody has to wait for it to read them.
 */
export async function run(): Promise<Record<string, number>> {
  return withFolder(async (folder) => {
    const kube = await startEmbeddedKube({ createNamespaces: true })
    const kubeconfig = join(folder, "kubeconfig")
    await writeFile(kubeconfig, kube.kubeconfig)
    const log = createLog("bench", { level: "silent" })
    const writer = await connectCluster("bench", { kubeconfig }, log)
    const files = Array.from({ length: FILES }, (_, at) => [`d${at % 20}/f${at}`, `${at}: `.repeat(500)])
    await writeRevision(writer, { seq: 1, targets: { "ci/jobs": Object.fromEntries(files) } })
    writer.close()
    const listen = `127.0.0.1:${await freePort()}`
    const config = join(folder, "agent.yaml")
    const from = `[{configMap: ci/jobs, names: paths}]`
    await writeFile(
      config,
      `version: 1\nrecord: ${NAMESPACE}/${SOURCE}\nkubeconfig: ${kubeconfig}\nlisten: ${listen}\nprojections: {jobs: {path: ${folder}/jobs, from: ${from}}}\n`,
    )
    await startOnce(config, listen)
    await kube.close()
    const times: number[] = []
    for (let start = 0; start < STARTS; start++) times.push((await startOnce(config, listen)) / 1000)
    return { [READY]: quantile(times, 0.5), "the slowest of them, s": Math.max(...times) }
  })
}

/** Milliseconds until it is ready; ends it then. */
async function startOnce(config: string, listen: string): Promise<number> {
  const begun = performance.now()
  const child = spawn(process.execPath, [PROGRAM, "--config", config], { stdio: "ignore" })
  endChildWithProcess(child)
  const ended = new Promise((resolve) => child.once("close", resolve))
  try {
    await until(() => isReady(`http://${listen}/readyz`))
    return performance.now() - begun
  } finally {
    child.kill("SIGTERM")
    await ended
  }
}

function isReady(url: string): Promise<boolean> {
  return fetch(url).then(
    async (answer) => {
      await answer.text()
      return answer.status === 200
    },
    () => false,
  )
}
