import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { githubEvent } from "../harness/github-events.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { realKubeMissing, withKube, withRealKube } from "../harness/with-kube.ts"
import type { PluginProcess } from "../harness/with-plugin-process.ts"
import {
  FILES,
  kubeconfigNamed,
  type MovingSite,
  PATH,
  prowContent,
  SECRET,
  withMovingSite,
} from "./moving-site.ts"

/** The way from Prow to Headrace and back, step by step as in docs/prow.md, with Prow at work beside it. */
async function moveOverAndBack(site: MovingSite): Promise<void> {
  await seeItFirst(site)
  await site.settle({ "app.ci": site.appCi })
  await site.withPlugin(async (plugin) => {
    await behindProwsHook(site, plugin)
    await adoptByRuleAndCluster(site, plugin)
    await besideProw(site)
    await findWhoWrote(site, plugin)
    await withoutProw(site, plugin)
    expect(plugin.run.output()).not.toContain(SECRET)
  })
  await goBack(site)
  for (const [, { vanished, versions }] of site.readers) {
    expect(vanished).toEqual([])
    expect(versions).toBeGreaterThan(5)
  }
}

/** Step 1: what Prow wrote is what we would write, whatever program packed it; what it missed, and what is not ours, shows. */
async function seeItFirst(site: MovingSite): Promise<void> {
  const { repo, commit, run, type, writeByProw } = site
  await writeByProw("hook", await repo.tip())
  await site.settle({ "app.ci": site.appCi })
  const [check, diff] = await type("1. See every difference")
  expect(check?.code, check?.text).toBe(0)
  expect(check?.text).not.toMatch(/: error:|build01/)
  // They differ: one ConfigMap was made by hand.
  expect(diff?.code, diff?.text).toBe(1)
  expect(diff?.stdout).toMatch(/app\.ci\/ci\/labels.*not ours/)
  expect(diff?.text).not.toContain("build01")
  await site.settle({ "app.ci": site.appCi, build01: site.build01 })
  expect(await differing(run, repo.folder)).toEqual({ "app.ci/ci/labels": ["not-ours"] })

  await commit({ [PATH.job]: "presubmits: {missed: by Prow}\n" })
  expect(await differing(run, repo.folder)).toEqual({
    "app.ci/ci/job-config": ["present", "changed a.yaml"],
    "app.ci/ci/labels": ["not-ours"],
    "build01/ci/job-config": ["present", "changed a.yaml"],
  })
}

/** Step 2: it runs behind Prow's hook with one cluster, which it brings to the tip; the other is left alone. */
async function behindProwsHook(site: MovingSite, plugin: PluginProcess): Promise<void> {
  const enabled = JSON.stringify([{ Org: "openshift", Repo: "release" }])
  const help = await fetch(`${plugin.url}/help`, { method: "POST", body: enabled })
  expect(await help.json()).toMatchObject({ Config: { "openshift/release": expect.any(String) } })
  await until(async () => (await site.missing("app.ci")).length === 0)
  expect(await site.missing("build01")).toEqual(["job-config"])
  expect(await site.status()).toMatchObject({
    "app.ci": {
      failed: [{ target: "ci/labels", reason: expect.stringContaining("reconcile/not-ours") }],
      foreign: [],
    },
  })
}

/** Step 3: what has no labels of Prow's is adopted by its rule; the other cluster comes with the settings. */
async function adoptByRuleAndCluster(site: MovingSite, plugin: PluginProcess): Promise<void> {
  const [adopted, rest] = await site.type("3. Take over, by rule and by cluster")
  expect(adopted).toMatchObject({
    code: 0,
    stdout: "release in app.ci: adopted ci/labels; its lane is woken\n",
  })
  expect(rest?.code, rest?.text).toBe(0)
  const sha = await site.commit({ [PATH.labels]: "labels: [kind/bug]\n" })
  const payload = githubEvent.merged({ sha, number: 7 })
  expect(await plugin.forward("/", SECRET, "pull_request", payload)).toBe(202)
  await until(async () => (await site.missing("app.ci")).length === 0)

  await site.settle({ "app.ci": site.appCi, build01: site.build01 })
  await until(async () => (await site.missing("build01")).length === 0)
  await until(() => hasSettled(plugin))
}

/** True when the plugin has looked at both clusters since it last started over: nothing more is under way. */
function hasSettled(plugin: PluginProcess): boolean {
  const lines = plugin.log()
  const since = lines.slice(lines.findLastIndex(({ msg }) => msg === "plugin started"))
  const looked = since.filter(({ msg, reason }) => msg === "reconciled" && reason === "start")
  return new Set(looked.map(({ cluster }) => cluster)).size === 2
}

/** Step 4: Prow still writes, an older merge late and an old clone whole. The hourly job repairs it. */
async function besideProw(site: MovingSite): Promise<void> {
  const late = { "config.yaml": "deck: {older: true}\n" }
  await site.writeOne("app.ci", "hook", "config", late, "1".repeat(40))
  const stale = prowContent(FILES).build01["job-config"] ?? {}
  await site.writeOne("build01", "config-bootstrapper", "job-config", stale)
  expect(await site.missing("app.ci")).toEqual(["config"])
  expect(await site.missing("build01")).toEqual(["job-config"])

  expect(await site.run("apply")).toMatchObject({ code: 0 })
  expect(await site.missing("app.ci")).toEqual([])
  expect(await site.missing("build01")).toEqual([])
}

/** It says who wrote what: in the status, in the log and as a metric. */
async function findWhoWrote(site: MovingSite, plugin: PluginProcess): Promise<void> {
  expect(await site.status()).toMatchObject({
    "app.ci": { foreign: [{ target: "ci/config", writer: "hook" }] },
    build01: { foreign: [{ target: "ci/job-config", writer: "config-bootstrapper" }] },
  })
  const told = plugin.log().filter(({ msg }) => String(msg).startsWith("another program wrote"))
  expect(told.map(({ cluster, target, writer }) => `${cluster} ${target} ${writer}`).sort()).toEqual([
    "app.ci ci/config hook",
    "build01 ci/job-config config-bootstrapper",
  ])
  const metrics = await plugin.metrics()
  for (const cluster of ["app.ci", "build01"]) {
    expect(metrics).toContain(`headrace_foreign_writes_total{cluster="${cluster}",source="release"} 1`)
  }
}

/** Prow's updateconfig is off: a merge that adds a key and takes one away. */
async function withoutProw(site: MovingSite, plugin: PluginProcess): Promise<void> {
  const sha = await site.commit({ "jobs/sub/new.yaml": "new: 1\n", "web/style.css": null })
  expect(await plugin.forward("/", SECRET, "push", githubEvent.push({ sha }))).toBe(202)
  await until(
    async () => [...(await site.missing("app.ci")), ...(await site.missing("build01"))].length === 0,
  )
}

/** Step 5: nothing of ours is left on what Prow takes over, and its next merge goes on where we were. */
async function goBack(site: MovingSite): Promise<void> {
  await site.settle({ "app.ci": site.appCi, build01: site.build01 }, {})
  const [detached] = await site.type("5. Back again")
  expect(detached?.code, detached?.text).toBe(0)
  for (const [, { shown }] of site.readers) {
    await until(() => !JSON.stringify([...shown.values()]).includes("headrace.dev"))
    for (const { metadata } of shown.values()) {
      expect(metadata.labels).toMatchObject({ "app.kubernetes.io/component": "updateconfig-plugin" })
    }
  }
  expect(await site.records()).toEqual([])

  await site.commit({ [PATH.job]: "presubmits: {by: Prow}\n", "web/style.css": "body {}\n" })
  await site.writeByProw("hook", await site.repo.tip())
  expect(await site.missing("app.ci")).toEqual([])
  expect(await site.missing("build01")).toEqual([])
  expect(await differing(site.run, site.repo.folder)).toEqual({})
}

/** What `diff` says of each ConfigMap: its state, then a word and the key for each that differs. */
async function differing(run: MovingSite["run"], folder: string): Promise<Record<string, string[]>> {
  const { stdout } = await run("diff", "--source-path", folder, "--rules", PATH.rules, "-o", "json")
  const listed: { cluster: string; namespace: string; name: string; state: string; keys: object }[] =
    JSON.parse(stdout)
  return Object.fromEntries(
    listed.map(({ cluster, namespace, name, state, keys }) => [
      `${cluster}/${namespace}/${name}`,
      [state, ...Object.entries(keys).map(([key, { kind }]) => `${kind} ${key}`)],
    ]),
  )
}

/** The job that ran Prow's config-bootstrapper, with our image: as the page has its flags, it writes what Prow missed. */
async function runAsProwsJob(site: MovingSite): Promise<void> {
  await site.writeByProw("config-bootstrapper")
  await site.commit({ [PATH.job]: "presubmits: {missed: by Prow}\n" })
  const folder = join(site.repo.scratch, "kubeconfigs")
  await mkdir(folder)
  // Where Prow runs is `default`; it is the current context, outside of a cluster.
  await writeFile(join(folder, "app.ci"), await kubeconfigNamed(site.appCi, "app.ci", true))
  await writeFile(join(folder, "build01"), await kubeconfigNamed(site.build01, "build01", false))
  const replaced = [["/etc/kube", folder]] as const
  const [first] = await site.type("The periodic config-bootstrapper job", replaced)
  // One ConfigMap was made by hand, and Prow has labels of its own on the others alone.
  expect(first?.code, first?.text).toBe(1)
  expect(first?.text).toMatch(/ci\/labels.*reconcile\/not-ours/s)
  expect(await site.missing("app.ci")).toEqual([])
  expect(await site.missing("build01")).toEqual([])
}

describe("moving over from Prow and back", { timeout: 600_000 }, () => {
  it("loses no key at any moment, on the embedded API server", () =>
    withKube((appCi) => withKube((build01) => withMovingSite(appCi, build01, moveOverAndBack))))

  it("begins with the job, whose command changes by its name alone", () =>
    withKube((appCi) => withKube((build01) => withMovingSite(appCi, build01, runAsProwsJob))))

  const missing = realKubeMissing()
  it.skipIf(missing)(`loses no key at any moment, on the real one${whySkipped(missing)}`, () =>
    withRealKube((appCi) => withRealKube((build01) => withMovingSite(appCi, build01, moveOverAndBack))),
  )
})
