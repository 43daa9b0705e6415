import { rename } from "node:fs/promises"
import { join } from "node:path"
import { reconcilePorts } from "@headrace/test/harness/reconcile-ports"
import { withMirror } from "@headrace/test/harness/with-mirror"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { systemClock } from "../foundation/clock.ts"
import { maintainMirror } from "../git/mirror/upkeep.ts"
import { type Mirror, openMirror } from "../git/open-mirror.ts"
import { createLog } from "../observe/log.ts"
import { releaseSource, rewindSource } from "./operate/hold-source.ts"
import { reconcile } from "./reconcile.ts"

const RULES = "config_updater: {maps: {a/*.txt: {name: alpha, clusters: {east: [ci]}}}}\n"
const quiet = new AbortController().signal
const log = createLog("test", { level: "silent" })

it("shows a held commit that the branch has left, by a mirror that never had it and by one that drops what no ref keeps", () =>
  withMirror(async (mirror, repo, folder) => {
    const base = await repo.commit({ "rules.yaml": RULES, "a/x.txt": "base" })
    const good = await repo.commit({ "a/x.txt": "good" })
    const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
    const run = (repository: Mirror) =>
      reconcile(
        { cluster: "east", source: "release", mode: "full" },
        reconcilePorts({ kube, repository }),
        quiet,
      )
    async function edit(): Promise<void> {
      const alpha = await kube.get("ci", "alpha")
      if (alpha) await kube.replace({ ...alpha, data: { ...alpha.data, "x.txt": "edited by hand" } })
    }
    const shown = async () => (await kube.get("ci", "alpha"))?.data?.["x.txt"]
    await run(mirror)
    await repo.forcePush(base)
    await repo.commit({ "a/x.txt": "rewritten" })
    expect(await run(mirror)).toMatchObject({ result: "stopped", stopped: { code: "git/diverged" } })
    const hold = { commit: good, by: "me", reason: "keep good", until: null }
    const ports = { kube, namespace: "headrace", source: "release", clock: systemClock }
    const { settings } = reconcilePorts({ kube, repository: mirror })
    await rewindSource({ ...ports, repository: mirror, rulesRepository: mirror, settings }, hold, quiet)
    await run(mirror)

    await maintainMirror(join(folder, "m.git"), { every: 0, pruneAfter: "now" })
    await edit()
    expect(await run(mirror)).toMatchObject({ stopped: null, commit: good })
    expect(await shown()).toBe("good")

    const options = { url: repo.folder, branch: "main", log }
    const fresh = await openMirror({ ...options, name: "m", folder: join(repo.scratch, "other") })
    await edit()
    expect(await run(fresh)).toMatchObject({ stopped: null, commit: good })
    expect(await shown()).toBe("good")
    await fresh.close()
  }))

it("goes back to a commit that the mirror has while the server is away, and repairs it there", () =>
  withMirror(async (mirror, repo) => {
    const good = await repo.commit({ "rules.yaml": RULES, "a/x.txt": "good" })
    const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
    const ports = reconcilePorts({ kube, repository: mirror })
    const run = () => reconcile({ cluster: "east", source: "release", mode: "full" }, ports, quiet)
    const shown = async () => (await kube.get("ci", "alpha"))?.data?.["x.txt"]
    await run()
    await repo.commit({ "a/x.txt": "bad" })
    await run()
    await rename(repo.folder, `${repo.folder}.away`)
    const words = { ...ports, namespace: "headrace", source: "release" }
    await rewindSource(words, { commit: good, by: "me", reason: "bad", until: null }, quiet)
    expect(await run()).toMatchObject({ result: "applied", commit: good })
    expect(await shown()).toBe("good")
    const alpha = await kube.get("ci", "alpha")
    if (alpha) await kube.replace({ ...alpha, data: { ...alpha.data, "x.txt": "edited by hand" } })
    expect(await run()).toMatchObject({ foreign: [{ target: "ci/alpha" }] })
    expect(await shown()).toBe("good")
    await releaseSource(words, quiet)
    await expect(run()).rejects.toMatchObject({ code: "git/repository-missing" })
  }))

it("asks a server rarely for a commit that it does not have", () =>
  withMirror(async (mirror, repo) => {
    await repo.commit({ "rules.yaml": RULES, "a/x.txt": "x" })
    await mirror.fetch()
    const unknown = "1".repeat(40)
    expect(await mirror.keep(unknown)).toBe(false)
    await rename(repo.folder, `${repo.folder}.away`)
    expect(await mirror.keep(unknown)).toBe(false)
    await expect(mirror.keep("2".repeat(40))).rejects.toMatchObject({ code: "git/repository-missing" })
  }))
