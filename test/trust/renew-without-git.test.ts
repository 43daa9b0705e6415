import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { pluginReconciler } from "@headrace/plugin/work/plugin-reconciler"
import { createLog } from "@headrace/shared/observe/log"
import { openReconciler } from "@headrace/shared/reconcile/open-reconciler"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { generateKeyFiles, publicTextOf, readSigningKey } from "@headrace/shared/trust/key-file"
import { signRecord, verifyRecord } from "@headrace/shared/trust/record-signature"
import { expect, it } from "vitest"
import { type Operator, withOperator } from "../harness/with-operator.ts"

const { signal } = new AbortController()
const HOUR = 3_600_000
const RULES = `config_updater: {maps: {"a/*": {name: alpha, clusters: {east: [ci]}}}}`

/** A source that is in force and signed, with ways to see and to change when it was signed. */
async function signedSource({ repo, kube, run, writeConfig }: Operator) {
  const keyFile = join(repo.scratch, "key")
  await writeFile(keyFile, generateKeyFiles(undefined).privateText)
  const signing = { keyFile, maxAge: "8h" }
  await writeConfig({ signing })
  await repo.commit({ "a/1": "one", "rules.yaml": RULES })
  expect((await run("apply", "--direct")).code).toBe(0)
  const client = inProcessClient(kube.store)
  const key = await readSigningKey(keyFile)

  async function found() {
    const configMap = await client.get("headrace", "release")
    if (configMap === undefined) throw new Error("no record")
    return configMap
  }
  /** One full run of the plugin, of a process that has seen nothing yet; gives the code that it fails by. */
  async function fullRun(mirrors: string): Promise<string | undefined> {
    const settings = OperatorSettings.parse({
      version: 1,
      sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
      clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
      mirrors,
      signing,
    })
    const opened = await openReconciler(settings, createLog("test", { level: "silent" }))
    try {
      await pluginReconciler(opened, settings).run("east", "release", "full", signal)
      return undefined
    } catch (error) {
      return (error as { code?: string }).code ?? String(error)
    } finally {
      await opened.close()
    }
  }
  return {
    fullRun,
    /** How many hours ago the record was signed, rounded down. */
    async age() {
      const { signedAt } = verifyRecord(await found(), { keys: [key], clusters: ["east"] }, Date.now())
      return Math.floor((Date.now() - signedAt) / HOUR)
    },
    async sign(hoursAgo: number) {
      const signedAt = Date.now() - hoursAgo * HOUR
      await client.replace(signRecord(await found(), { cluster: "east", key, signedAt }))
    },
  }
}

it("signs a record again each hour while the forge is away, and where no mirror can be opened", () =>
  withOperator(async (operator) => {
    const { repo } = operator
    const source = await signedSource(operator)
    const mirrors = join(repo.scratch, "plugin-mirrors")
    await rename(repo.folder, `${repo.folder}-away`)

    await source.sign(3)
    expect(await source.fullRun(mirrors)).toMatch(/^git\//)
    expect(await source.age()).toBe(0)

    await source.sign(3)
    const notAFolder = join(repo.scratch, "file")
    await writeFile(notAFolder, "")
    expect(await source.fullRun(notAFolder)).toBeDefined()
    expect(await source.age()).toBe(0)

    // Older than maxAge it may be an earlier one that somebody has put back: it waits for git.
    await source.sign(9)
    expect(await source.fullRun(mirrors)).toMatch(/^git\//)
    expect(await source.age()).toBe(9)
    await rename(`${repo.folder}-away`, repo.folder)
    expect(await source.fullRun(mirrors)).toBeUndefined()
    expect(await source.age()).toBe(0)

    // Where git stays away, an operator may say so.
    await source.sign(9)
    await operator.writeConfig({ signing: { keyFile: join(repo.scratch, "key"), maxAge: "8h" } })
    expect((await operator.run("keys", "sign")).stdout).toContain("longer ago than signing.maxAge")
    expect(await source.age()).toBe(0)

    // And where the key that signed it is being replaced.
    const [old, next] = [join(repo.scratch, "key.pub"), join(repo.scratch, "next")]
    await writeFile(old, publicTextOf(await readSigningKey(join(repo.scratch, "key"))))
    await writeFile(next, generateKeyFiles(undefined).privateText)
    await operator.writeConfig({ signing: { keyFile: next, keys: [old] } })
    expect((await operator.run("keys", "sign")).stdout).toContain("(it was signed by key")
    expect((await operator.run("keys", "sign")).stdout).toContain("already")
  }))
