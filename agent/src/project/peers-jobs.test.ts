import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, copyFile, mkdir, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRepo } from "@headrace/test/harness/with-repo"
import { writeConfigMap } from "@headrace/test/harness/write-revision"
import { describe, expect, it } from "vitest"

// The jobs of the programs that an agent takes over from, each in that program's own terms.

async function put(
  kube: ConfigMapWriter,
  place: string,
  data: Record<string, string>,
  labels: Record<string, string> = {},
): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  await writeConfigMap(kube, { metadata: { namespace, name, labels }, data })
}

async function remove(kube: ConfigMapWriter, place: string): Promise<void> {
  const [namespace = "", name = ""] = place.split("/")
  const there = await kube.get(namespace, name)
  if (there) await kube.remove(there)
}

/** What a consumer of the volume sees: file by file through the visible links. */
async function volume(path: string): Promise<Record<string, string>> {
  const names = await readdir(path, { recursive: true }).catch(() => [])
  const files: [string, string][] = []
  for (const top of names.filter((name) => !name.startsWith("..") && !name.includes("/"))) {
    const below = (await stat(join(path, top))).isDirectory()
      ? (await readdir(join(path, top), { recursive: true })).map((name) => `${top}/${name}`)
      : [top]
    for (const name of below) {
      if ((await stat(join(path, name))).isFile())
        files.push([name, await readFile(join(path, name), "utf8")])
    }
  }
  return Object.fromEntries(files.sort())
}

function liveYaml(path: string, from: string, more = ""): string {
  return `version: 1
projections:
  shown:
    path: ${path}
    durability: none
    from: ${from}
${more}`
}

describe("a kubelet's projected volume", () => {
  it("shows items of three ConfigMaps at their paths and modes, optional ones when they come, in one flip each", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const path = join(folder, "volume")
      await put(kube, "ci/one", { "a.yaml": "a1", secret: "hidden" })
      await put(kube, "ci/two", { b: "b1" })
      const from = `
      - {live: {configMap: ci/one}, items: [{key: a.yaml, path: conf/a.yaml, mode: "0400"}]}
      - {live: {configMap: ci/two}, under: conf}
      - {live: {configMap: ci/three}, optional: true, under: extra}`
      await withAgent(kube, liveYaml(path, from), async (agent) => {
        await untilReady(agent)
        expect(await volume(path)).toEqual({ "conf/a.yaml": "a1", "conf/b": "b1" })
        expect((await stat(join(path, "conf/a.yaml"))).mode & 0o777).toBe(0o400)
        const before = await readlink(join(path, "..data"))
        await put(kube, "ci/three", { c: "c1" })
        await expect
          .poll(() => volume(path))
          .toEqual({ "conf/a.yaml": "a1", "conf/b": "b1", "extra/c": "c1" })
        expect(await readlink(join(path, "..data"))).not.toBe(before)
        await remove(kube, "ci/three")
        await expect.poll(() => volume(path)).toEqual({ "conf/a.yaml": "a1", "conf/b": "b1" })
      })
    })
  })

  it("does not empty a running volume when a needed ConfigMap goes away", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const path = join(folder, "volume")
      await put(kube, "ci/one", { a: "a1" })
      await withAgent(kube, liveYaml(path, "[{live: {configMap: ci/one}}]"), async (agent) => {
        await untilReady(agent)
        await remove(kube, "ci/one")
        await expect
          .poll(() => agent.readiness().reasons.join())
          .toContain("waits for ConfigMap ci/one: it is not there")
        expect(await volume(path)).toEqual({ a: "a1" })
      })
    })
  })
})

describe("a k8s-sidecar's selection", () => {
  const board = { dashboard: "1" }

  it("follows a label across namespaces through deletes and re-creates", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const path = join(folder, "dashboards")
      await put(kube, "a/x", { "x.json": "x1" }, board)
      await put(kube, "b/y", { "y.json": "y1" }, board)
      await put(kube, "b/other", { "z.json": "no" })
      await withAgent(kube, liveYaml(path, "[{live: {labelSelector: dashboard=1}}]"), async (agent) => {
        await untilReady(agent)
        expect(await volume(path)).toEqual({ "x.json": "x1", "y.json": "y1" })
        await remove(kube, "a/x")
        await expect.poll(() => volume(path)).toEqual({ "y.json": "y1" })
        await put(kube, "a/x", { "x2.json": "x2" }, board)
        await expect.poll(() => volume(path)).toEqual({ "x2.json": "x2", "y.json": "y1" })
        await put(kube, "b/y", { "y.json": "y1" })
        await expect.poll(() => volume(path)).toEqual({ "x2.json": "x2" })
      })
    })
  })

  it("names both when two give one file, keeps them apart with uniqueNames, and looks in the configured namespaces", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      for (const place of ["a/x", "b/x", "c/x"]) await put(kube, place, { "x.json": place }, board)
      const both = "[{live: {labelSelector: dashboard=1, namespaces: [a, b]}}]"
      await withAgent(kube, liveYaml(join(folder, "one"), both), async (agent) => {
        await expect
          .poll(() => agent.readiness().reasons.join())
          .toContain('ConfigMap b/x, key x.json is not shown: ConfigMap a/x, key x.json has "x.json"')
        expect(await volume(join(folder, "one"))).toEqual({ "x.json": "a/x" })
      })
      const apart = "[{live: {labelSelector: dashboard=1, namespaces: [a, b], uniqueNames: true}}]"
      await withAgent(kube, liveYaml(join(folder, "two"), apart), async (agent) => {
        await untilReady(agent)
        expect(await volume(join(folder, "two"))).toEqual({ "a.x/x.json": "a/x", "b.x/x.json": "b/x" })
      })
    })
  })
})

describe("git-sync", () => {
  it("shows a branch at the link with the commit as its base name, follows it, and keeps a stale reader's files", async () => {
    await withFolder(async (folder) => {
      await withRepo(async (repo) => {
        const { kube } = createTestCluster()
        const root = join(folder, "root")
        const first = await repo.commit({
          "app/a": "1",
          "app/run": { executable: "#!/bin/sh\n" },
          other: "no",
        })
        const yaml = `version: 1
mirrors: ${folder}/mirrors
projections:
  tree:
    path: ${root}
    link: current
    durability: none
    from: [{git: {url: ${repo.folder}, branch: main, paths: [app], poll: 50ms}}]
    notify: [{touch: ${folder}/touched}]
`
        await withAgent(kube, yaml, async (agent) => {
          await untilReady(agent)
          const stale = join(root, await readlink(join(root, "current")))
          expect(stale.endsWith(`/${first}`)).toBe(true)
          expect(await volume(stale)).toEqual({ "app/a": "1", "app/run": "#!/bin/sh\n" })
          expect((await stat(join(stale, "app/run"))).mode & 0o111).toBe(0o111)
          const second = await repo.commit({ "app/a": "2" })
          await expect.poll(() => readlink(join(root, "current"))).toMatch(new RegExp(`/${second}$`))
          await expect.poll(() => readFile(`${folder}/touched`, "utf8").catch(() => "")).toContain(second)
          expect(await readFile(join(stale, "app/a"), "utf8")).toBe("1")
          expect(await readFile(join(root, "current/app/a"), "utf8")).toBe("2")
        })
      })
    })
  })

  it("asks a pre-publish hook, in the new tree, and shows nothing that it vetoes", async () => {
    await withFolder(async (folder) => {
      await withRepo(async (repo) => {
        const { kube } = createTestCluster()
        const root = join(folder, "root")
        const good = await repo.commit({ config: "valid" })
        const hook = join(folder, "hook")
        await writeFile(
          hook,
          `#!/bin/sh\necho $HEADRACE_REVISION >> ${folder}/asked\ngrep -q ^valid $HEADRACE_PATH/config\n`,
        )
        await chmod(hook, 0o755)
        const yaml = `version: 1
mirrors: ${folder}/mirrors
projections:
  tree:
    path: ${root}
    durability: none
    from: [{git: {url: ${repo.folder}, branch: main, poll: 50ms}}]
    before: [{exec: [${hook}]}]
`
        await withAgent(kube, yaml, async (agent) => {
          await untilReady(agent)
          const bad = await repo.commit({ config: "broken" })
          await expect.poll(() => agent.readiness().reasons.join()).toContain(`revision ${bad} was vetoed`)
          expect(await readFile(join(root, "config"), "utf8")).toBe("valid")
          expect(await readlink(join(root, "..data"))).toMatch(new RegExp(`/${good}$`))
          const mended = await repo.commit({ config: "valid again" })
          await expect.poll(() => readFile(join(root, "config"), "utf8")).toBe("valid again")
          expect((await readFile(`${folder}/asked`, "utf8")).split("\n")).toEqual(
            expect.arrayContaining([good, bad, mended]),
          )
        })
      })
    })
  })

  it("stays at a commit that it is given, and reports it when the branch has no such commit", async () => {
    await withFolder(async (folder) => {
      await withRepo(async (repo) => {
        const { kube } = createTestCluster()
        const old = await repo.commit({ a: "old" })
        await repo.commit({ a: "new" })
        const yaml = (commit: string) => `version: 1
mirrors: ${folder}/mirrors
projections:
  tree: {path: ${folder}/root, durability: none, from: [{git: {url: ${repo.folder}, branch: main, commit: ${commit}, poll: 50ms}}]}
`
        await withAgent(kube, yaml(old), async (agent) => {
          await untilReady(agent)
          expect(await readFile(join(folder, "root/a"), "utf8")).toBe("old")
        })
        await withAgent(kube, yaml("f".repeat(40)), async (agent) => {
          await expect
            .poll(() => agent.readiness().reasons.join())
            .toContain(`main has no commit ${"f".repeat(40)}`)
          expect(await readFile(join(folder, "root/a"), "utf8")).toBe("old")
        })
      })
    })
  })
})

describe("files that programs hold", () => {
  it("replaces static pod manifests whole: a reader that looks all the time never sees half of one", async () => {
    await withFolder(async (folder) => {
      const { kube } = createTestCluster()
      const path = join(folder, "manifests")
      const pod = (version: number) => `version: ${version}\n${`line of ${version}\n`.repeat(2000)}`
      await put(kube, "kube-system/pods", { "pod.yaml": pod(0) })
      await withAgent(kube, liveYaml(path, "[{live: {configMap: kube-system/pods}}]"), async (agent) => {
        await untilReady(agent)
        const seen = new Set<number>()
        let looks = 0
        for (let version = 1; version <= 20; version += 1) {
          await put(kube, "kube-system/pods", { "pod.yaml": pod(version) })
          while (!seen.has(version)) {
            const text = await readFile(join(path, "pod.yaml"), "utf8")
            const number = Number(/^version: (\d+)/.exec(text)?.[1])
            expect(text).toBe(pod(number))
            seen.add(number)
            looks += 1
          }
        }
        expect(looks).toBeGreaterThanOrEqual(20)
      })
    })
  })

  it("replaces an executable while it runs", async () => {
    await withFolder(async (folder) => {
      await withRepo(async (repo) => {
        const { kube } = createTestCluster()
        await mkdir(join(repo.folder, "bin"))
        await copyFile("/bin/sleep", join(repo.folder, "bin/tool"))
        await repo.git("add", ".")
        await repo.git("commit", "-q", "-m", "a real binary")
        const yaml = `version: 1
mirrors: ${folder}/mirrors
projections:
  tree: {path: ${folder}/root, durability: none, from: [{git: {url: ${repo.folder}, branch: main, poll: 50ms}}]}
`
        await withAgent(kube, yaml, async (agent) => {
          await untilReady(agent)
          const running = spawn(join(folder, "root/bin/tool"), ["60"])
          await once(running, "spawn")
          const tip = await repo.commit({ "bin/tool": { executable: "#!/bin/sh\necho new\n" } })
          await expect.poll(() => agent.projections()[0]?.shown?.id).toBe(tip)
          const { stdout } = spawn(join(folder, "root/bin/tool"))
          expect(String(await once(stdout, "data"))).toBe("new\n")
          expect(running.exitCode).toBe(null)
          running.kill("SIGKILL")
          await once(running, "exit")
        })
      })
    })
  })
})
