import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { workLane } from "@headrace/shared/lanes/work-lane"
import { createLog } from "@headrace/shared/observe/log"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRedis } from "@headrace/test/harness/with-redis"
import { expect, it } from "vitest"

const log = createLog("test", { level: "silent" })
const MAIN = join(import.meta.dirname, "main.ts")

const settings = (folder: string) => `version: 1
sources: {release: {url: ${folder}/none.git, branch: main, rules: plugins.yaml}}
clusters: {build01: {kubeconfig: ${folder}/none}}
mirrors: ${folder}/mirrors
`

it("says so, and fails, when it is stopped before it is done: a job that was evicted has not succeeded", () =>
  withRedis(({ url }) =>
    withFolder(async (folder) => {
      const config = join(folder, "headrace.yaml")
      await writeFile(config, settings(folder))
      const lanes = await openLanes({ redis: url, log })
      const end = Promise.withResolvers<never>()
      const begun = Promise.withResolvers<void>()
      const handler = () => {
        begun.resolve()
        return end.promise
      }
      const worker = workLane(lanes, "build01", handler, { log })
      const args = ["--conditions=source", "--no-warnings", MAIN, "apply", "--config", config]
      const child = spawn(process.execPath, args, { env: { ...process.env, REDIS_URL: url } })
      try {
        let told = ""
        child.stderr.on("data", (chunk) => (told += chunk))
        await begun.promise
        child.kill("SIGTERM")
        const [code] = await once(child, "close")
        expect([code, told]).toEqual([1, expect.stringContaining("stopped by SIGTERM [program/stopped]")])
      } finally {
        child.kill("SIGKILL")
        end.reject(new Error("the test has ended"))
        await worker.close()
        await lanes.close()
      }
    }),
  ))
