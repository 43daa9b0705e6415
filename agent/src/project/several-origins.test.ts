import { mkdir, readdir, readFile, realpath, rename, rm, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { noteProjections } from "@headrace/shared/settings/load-agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { shown } from "@headrace/test/harness/shown-files"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { writeConfigMap } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"
import { withRetainedAlone } from "../retain/open-retained.ts"
import { approve } from "../retain/revisions.ts"
import type { Agent } from "./agent.ts"
import { checkProjections } from "./projection-spec.ts"

const PATIENT = { timeout: 60_000 }
const log = createLog("test", { level: "silent" })
const signal = new AbortController().signal

type Files = Record<string, string>

/** Publishes a folder as git-sync does: a new one, and a link that is moved to it by one rename. */
async function publish(link: string, name: string, files: Files): Promise<void> {
  const folder = join(dirname(link), name)
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await symlink(name, `${link}.tmp`)
  await rename(`${link}.tmp`, link)
}

interface Site {
  kube: ReturnType<typeof createTestCluster>["kube"]
  repo: TestRepo
  folder: string
  /** A link that another program moves. */
  generated: string
  /** Puts the ConfigMap ci/extra. */
  extra(data: Files): Promise<void>
  settings(more?: string): string
  shown(): Promise<Files>
}

/** A repository, generated files and a live ConfigMap, to be shown at one path. */
async function withSite(test: (site: Site) => Promise<void>): Promise<void> {
  await withFolder((folder) =>
    withRepo(async (repo) => {
      const { kube } = createTestCluster()
      const generated = join(folder, "generated/current")
      await mkdir(dirname(generated))
      await test({
        kube,
        repo,
        folder,
        generated,
        extra: (data) => writeConfigMap(kube, { metadata: { namespace: "ci", name: "extra" }, data }),
        settings: (more = "") => `version: 1
mirrors: ${folder}/mirrors
projections:
  shown:
    path: ${folder}/shown
    durability: none
    from:
      - git: {url: ${repo.folder}, branch: ${repo.branch}, poll: 1s, paths: [jobs]}
      - folder: ${generated}
        under: generated
      - live: {configMap: ci/extra}
        under: extra
${more}`,
        shown: () => shown(join(folder, "shown")),
      })
    }),
  )
}

const reasons = (agent: Agent) => agent.readiness().reasons.join("\n")
const idOf = (agent: Agent) => agent.projections()[0]?.shown?.id ?? ""

function many(prefix: string, count: number, text: string): Files {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`${prefix}${at}.yaml`, text]))
}

describe("several origins at one path", () => {
  it("are one revision, whose id names all of them, and a reader never sees half of a change of any", async () => {
    await withSite(async ({ repo, generated, extra, settings, shown, kube, folder }) => {
      const commitOf = (turn: number) => repo.commit(many("jobs/team/repo-", 20, `${turn}`))
      const publishOf = (turn: number) => publish(generated, `g${turn}`, many("periodics-", 20, `${turn}`))
      const extraOf = (turn: number) => extra(many("preset-", 10, `${turn}`))
      await Promise.all([commitOf(0), publishOf(0), extraOf(0)])
      await withAgent(kube, settings("    uniqueBaseNames: [.yaml]\n"), async (agent) => {
        await untilReady(agent)
        const reading = new AbortController()
        const read = readWhole(join(folder, "shown"), reading.signal)
        let commit = ""
        for (let turn = 1; turn <= 10; turn += 1) {
          ;[commit] = await Promise.all([commitOf(turn), publishOf(turn), extraOf(turn)])
          agent.lookNow()
          await expect
            .poll(async () => new Set(Object.values(await shown())), PATIENT)
            .toEqual(new Set([`${turn}`]))
        }
        reading.abort()
        const { looks, mixed } = await read
        expect(mixed).toEqual([])
        expect(looks).toBeGreaterThan(10)
        await untilReady(agent)
        expect(idOf(agent)).toMatch(new RegExp(`^${commit.slice(0, 12)}-[0-9a-f]{12}-[0-9a-f]{12}$`))
        expect(Object.keys(await shown())).toHaveLength(50)
      })
    })
  })

  it("that collide are refused by name before anything shows, and shown when they do no more", async () => {
    await withSite(async ({ repo, generated, extra, settings, shown, kube }) => {
      await repo.commit({ "jobs/a.yaml": "1" })
      await publish(generated, "g1", { "b.yaml": "1" })
      await extra({ "c.yaml": "1" })
      const before = { "jobs/a.yaml": "1", "generated/b.yaml": "1", "extra/c.yaml": "1" }
      await withAgent(kube, settings("    uniqueBaseNames: [.yaml]\n"), async (agent) => {
        await untilReady(agent)
        expect(await shown()).toEqual(before)
        await publish(generated, "g2", { "b.yaml": "2", "sub/a.yaml": "2", OWNERS: "x", "sub/OWNERS": "y" })
        agent.lookNow()
        await expect.poll(() => reasons(agent), PATIENT).toContain("[projection/same-name]")
        expect(reasons(agent)).toMatch(
          /"jobs\/a.yaml" of commit .* and "generated\/sub\/a.yaml" of folder .*g2/,
        )
        expect(await shown()).toEqual(before)
        expect(agent.readiness().ready).toBe(true)
        await publish(generated, "g3", { "b.yaml": "3", "sub/d.yaml": "3", OWNERS: "x", "sub/OWNERS": "y" })
        agent.lookNow()
        await untilReady(agent)
        expect(await shown()).toMatchObject({ "generated/b.yaml": "3", "generated/sub/d.yaml": "3" })
        await repo.commit({ "jobs/b.yaml": "of the repository" })
        await expect.poll(() => reasons(agent), PATIENT).toContain("[projection/same-name]")
      })
      const same = settings().replace("        under: generated\n", "")
      const moved = { "b.yaml": "3", "sub/d.yaml": "3", OWNERS: "x", "sub/OWNERS": "y" }
      await publish(generated, "g4", { ...moved, "jobs/a.yaml": "of the folder" })
      await withAgent(kube, same, async (agent) => {
        const both = /two files for "jobs\/a.yaml": commit .* and folder .*g4.*\[projection\/same-path\]/
        await expect.poll(() => reasons(agent), PATIENT).toMatch(both)
        expect(await shown()).toMatchObject({ "jobs/a.yaml": "1", "generated/b.yaml": "3" })
      })
    })
  })

  it("keep the last good part of one that is gone, named, while the others go on, also after a restart", async () => {
    await withSite(async ({ repo, generated, extra, settings, shown, kube, folder }) => {
      await repo.commit({ "jobs/a.yaml": "1" })
      await publish(generated, "g1", { "b.yaml": "1" })
      await extra({ "c.yaml": "1" })
      await withAgent(kube, settings(), async (agent) => {
        await untilReady(agent)
        const part = idOf(agent).split("-")[1]
        await rm(dirname(generated), { recursive: true })
        const commit = await repo.commit({ "jobs/a.yaml": "2" })
        agent.lookNow()
        await expect.poll(shown, PATIENT).toMatchObject({ "jobs/a.yaml": "2", "generated/b.yaml": "1" })
        await expect
          .poll(() => reasons(agent), PATIENT)
          .toContain(`waits for folder ${generated}: it is not there`)
        expect(reasons(agent)).toContain(`folder ${generated} stays as it was at ${part}`)
        expect(agent.readiness().ready).toBe(true)
        expect(idOf(agent).split("-").slice(0, 2)).toEqual([commit.slice(0, 12), part])
      })
      await withAgent(kube, settings(), async (agent) => {
        await extra({ "c.yaml": "3" })
        await expect.poll(shown, PATIENT).toMatchObject({ "extra/c.yaml": "3", "generated/b.yaml": "1" })
        // What only the lost origin has cannot be repaired: it is said, and nothing else of what is shown goes.
        await expect.poll(() => reasons(agent), PATIENT).toContain("it is not there")
        await mkdir(dirname(generated))
        await publish(generated, "g2", { "b.yaml": "4" })
        agent.lookNow()
        await untilReady(agent)
        expect(await shown()).toEqual({ "jobs/a.yaml": "2", "generated/b.yaml": "4", "extra/c.yaml": "3" })
      })
      // The same of a branch and of a ConfigMap.
      await withAgent(kube, settings(), async (agent) => {
        await untilReady(agent)
        const there = await kube.get("ci", "extra")
        if (there) await kube.remove(there)
        await repo.commit({ "jobs/a.yaml": null })
        await publish(generated, "g3", { "b.yaml": "5" })
        agent.lookNow()
        await expect.poll(shown, PATIENT).toEqual({
          "jobs/a.yaml": "2",
          "generated/b.yaml": "5",
          "extra/c.yaml": "3",
        })
        await expect.poll(() => reasons(agent), PATIENT).toContain("has no file that is selected")
        expect(reasons(agent)).toContain("ConfigMap ci/extra stays as it was")
      })
      expect(await readdir(join(folder, "shown"))).toContain("..known")
    })
  })

  it("are waited for all together while nothing is known of a part", async () => {
    await withSite(async ({ repo, generated, extra, settings, shown, kube }) => {
      await repo.commit({ "jobs/a.yaml": "1" })
      await extra({ "c.yaml": "1" })
      await withAgent(kube, settings(), async (agent) => {
        await expect
          .poll(() => reasons(agent), PATIENT)
          .toContain(`waits for folder ${generated}: it is not there`)
        expect(agent.readiness().ready).toBe(false)
        await publish(generated, "g1", { "b.yaml": "1" })
        agent.lookNow()
        await untilReady(agent)
        expect(Object.keys(await shown())).toHaveLength(3)
      })
    })
  })

  it("are guarded each by itself: one that loses most keeps its part until its revision is approved", async () => {
    await withSite(async ({ repo, generated, extra, settings, shown, kube, folder }) => {
      await repo.commit(many("jobs/j", 60, "1"))
      await publish(generated, "g1", many("p", 60, "1"))
      await extra({ "c.yaml": "1" })
      const count = async (prefix: string) =>
        Object.keys(await shown()).filter((path) => path.startsWith(prefix)).length
      await withAgent(kube, settings(), async (agent) => {
        await untilReady(agent)
        const gone = Object.fromEntries(Object.keys(many("jobs/j", 59, "")).map((path) => [path, null]))
        const commit = await repo.commit(gone)
        await expect.poll(() => reasons(agent), PATIENT).toContain("[projection/guarded]")
        expect(reasons(agent)).toContain(`revision ${commit} of git main`)
        expect(reasons(agent)).toContain("would take away 59 of the 60 files")
        await publish(generated, "g2", many("p", 50, "2"))
        await extra({ "c.yaml": "2" })
        agent.lookNow()
        await expect.poll(() => count("generated/"), PATIENT).toBe(50)
        await expect.poll(shown, PATIENT).toMatchObject({ "extra/c.yaml": "2" })
        expect(await count("jobs/")).toBe(60)
        expect(agent.readiness().ready).toBe(true)
        await withRetainedAlone({ path: join(folder, "shown"), log, signal }, (retained) =>
          approve(retained, commit.slice(0, 12)),
        )
        await expect.poll(() => count("jobs/"), PATIENT).toBe(1)
        await untilReady(agent)
        // Deletions add up: 10 of 60 before, and 20 of 50 now.
        await publish(generated, "g3", many("p", 28, "2"))
        agent.lookNow()
        await expect
          .poll(() => reasons(agent), PATIENT)
          .toContain(`of folder ${generated} would take away 22 of the 50`)
        expect(await count("generated/")).toBe(50)
      })
    })
  })
})

describe("the settings of several origins", () => {
  function specs(text: string): unknown {
    const settings = parseSettings(text, "agent.yaml", AgentSettings, noteProjections)
    return checkProjections(settings)
  }

  it("are those that the page about them shows", async () => {
    const page = new URL("../../../docs/how-to/several-origins.md", import.meta.url)
    const [, yaml = ""] = /```yaml\n([\s\S]*?)```/.exec(await readFile(page, "utf8")) ?? []
    expect(parseSettings(yaml, "page", AgentSettings).projections["job-config"]?.from).toHaveLength(4)
    expect(() => specs(yaml)).not.toThrow()
  })

  it.each([
    [
      "agent.yaml:4:25: error: projections.x.from[0].folder: expected an absolute path",
      "/a",
      "[{folder: relative}]",
    ],
    [
      "agent.yaml:4:16: error: projections.x.from[0]: expected one of",
      "/a",
      "[{folder: /b, live: {configMap: ci/x}}]",
    ],
    ["agent.yaml:3:6: projection x gives", "/a", "[{folder: /b}, {folder: /b}]"],
    ["agent.yaml:3:6: projection x at /a/b would show itself: folder /a", "/a/b", "[{folder: /a}]"],
    ["agent.yaml:3:6: projection x at /a would show itself: folder /a/b", "/a", "[{folder: /a/b}]"],
    ["agent.yaml:3:6: projection x at /a would show itself: folder /", "/a", "[{folder: /}]"],
  ])("are refused with %s: path %s, from %s", (message, path, from) => {
    const text = `version: 1\nprojections:\n  x: {path: ${path}, uniqueBaseNames: true,\n    from:     ${from}}\n`
    expect(() => specs(text)).toThrow(message)
  })
})

/** Resolves the projection once and reads everything beneath, over and over; names what was of two generations. */
async function readWhole(path: string, signal: AbortSignal): Promise<{ looks: number; mixed: string[] }> {
  const mixed: string[] = []
  let looks = 0
  while (!signal.aborted) {
    const root = await realpath(join(path, "..data"))
    const entries = await readdir(root, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const byOrigin = new Map<string, Set<string>>()
    for (const { parentPath, name } of files) {
      const origin =
        join(parentPath, name)
          .slice(root.length + 1)
          .split("/")[0] ?? ""
      const text = await readFile(join(parentPath, name), "utf8")
      byOrigin.set(origin, (byOrigin.get(origin) ?? new Set()).add(text))
    }
    const torn = [...byOrigin].filter(([, generations]) => generations.size > 1)
    if (files.length !== 50 || torn.length > 0)
      mixed.push(`${root}: ${files.length} files, ${torn.join("; ")}`)
    looks += 1
  }
  return { looks, mixed }
}
