import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { createLog } from "@headrace/shared/observe/log"
import { until } from "@headrace/test/harness/until"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { embeddedKubeconfig } from "../../config/local/embedded-kube/embedded-kubeconfig.ts"
import { findSettings, nextSettings } from "./next-settings.ts"

const log = createLog("test", { level: "silent" })
const QUICK = { log, signal: AbortSignal.timeout(20_000), interval: 5 }

function settingsText(cluster: string): string {
  return `version: 1\nsources: {}\nclusters: {${cluster}: {inCluster: true}}\n`
}

describe("nextSettings", () => {
  it("ignores settings that do not parse or did not change, and returns changed ones", () =>
    withFolder(async (folder) => {
      const file = join(folder, "headrace.yaml")
      await writeFile(file, settingsText("build01"))
      const current = await findSettings(file, undefined)
      let given = false
      const reports: boolean[] = []
      const onRejected = (rejected: boolean) => reports.push(rejected)
      const next = nextSettings(file, current, { ...QUICK, onRejected }).finally(() => {
        given = true
      })
      for (const [text, isRejected] of [
        ["version: 2\n", true],
        ["clusters: [", true],
        [`# a comment\n${settingsText("build01")}`, false],
      ] as const) {
        await writeFile(file, text)
        await delay(50)
        await until(() => reports.at(-1) === isRejected)
        expect(given).toBe(false)
      }
      await writeFile(file, settingsText("build02"))
      expect(Object.keys((await next)?.settings.clusters ?? {})).toEqual(["build02"])
    }))

  it("gives the clusters that a folder of kubeconfigs brings later, and keeps those it has while a file is broken", () =>
    withFolder(async (folder) => {
      const file = join(folder, "headrace.yaml")
      const kube = join(folder, "kube")
      await mkdir(kube)
      const write = (name: string, text = embeddedKubeconfig("http://127.0.0.1:1", "t")) =>
        writeFile(join(kube, name), text.replaceAll("embedded", name))
      await write("build01")
      await writeFile(file, `version: 1\nsources: {}\nkubeconfigs: {folder: ${kube}}\n`)
      const current = await findSettings(file, undefined)
      let given = false
      const next = nextSettings(file, current, QUICK).finally(() => {
        given = true
      })
      await write("build02", "contexts: [")
      await delay(50)
      expect(given).toBe(false)
      await write("build02")
      expect(Object.keys((await next)?.settings.clusters ?? {})).toEqual(["build01", "build02"])
    }))

  it("gives the Redis URL of a file that was rotated, and keeps the one it has while the file is gone", () =>
    withFolder(async (folder) => {
      const [file, url] = [join(folder, "headrace.yaml"), join(folder, "redis-url")]
      await writeFile(file, settingsText("build01"))
      await writeFile(url, "redis://:old@127.0.0.1:6379\n")
      const current = await findSettings(file, url)
      const reports: boolean[] = []
      const onRejected = (rejected: boolean) => reports.push(rejected)
      const next = nextSettings(file, current, { ...QUICK, redisUrlFile: url, onRejected })
      await until(() => reports.at(-1) === false)
      await rm(url)
      await until(() => reports.at(-1) === true)
      await writeFile(url, "redis://:new@127.0.0.1:6379\n")
      expect(await next).toEqual({ ...current, redisUrl: "redis://:new@127.0.0.1:6379" })
    }))
})
