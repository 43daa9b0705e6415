import { execFileSync } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { quiet, reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { reconcilePorts } from "@headrace/test/harness/reconcile-ports"
import { withMirror } from "@headrace/test/harness/with-mirror"
import { type TestRepo, testGitEnvironment } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { type Mirror, openMirror } from "../git/open-mirror.ts"
import { createLog } from "../observe/log.ts"
import { recordConfigMap } from "../record/record-config-map.ts"
import { compareTokens } from "../record/token.ts"
import { reconcile } from "./reconcile.ts"

const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`

it("gives a merge over commits with clocks behind one token, whichever program counts", () =>
  withMirror(async (first, repo, folder) => {
    await repo.commit({ "rules.yaml": RULES })
    for (let minute = 10; minute < 25; minute++)
      await commitAt(repo, `2024-01-01T01:${minute}:00Z`, "a/x.txt")
    await repo.git("branch", "fork")
    for (let minute = 10; minute < 18; minute++)
      await commitAt(repo, `2024-01-01T00:${minute}:00Z`, "a/x.txt")
    const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
    async function runIn(ports: ReturnType<typeof reconcilePorts>) {
      return reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, quiet)
    }
    const program = (repository: Mirror) => reconcilePorts({ kube, repository })
    const one = program(first)
    const { token } = await runIn(one)
    await repo.git("checkout", "--quiet", "fork")
    await commitAt(repo, "2024-01-01T02:00:00Z", "b/y.txt")
    await repo.git("checkout", "--quiet", "main")
    await repo.git("merge", "--quiet", "--no-ff", "-m", "Merge pull request #1", "fork")

    const merged = await runIn(one)
    expect(merged.token).toEqual({ epoch: token.epoch, seq: token.seq + 2 })
    expect(merged.token.seq).toBe(Number(await repo.git("rev-list", "--count", "main")))
    const log = createLog("test", { level: "silent" })
    const second = await openMirror({ name: "n", url: repo.folder, branch: "main", folder, log })
    try {
      expect(await runIn(program(second))).toMatchObject({ result: "noop", token: merged.token })
    } finally {
      await second.close()
    }
  }))

it("takes no smaller token for the commit that is shown: it begins a new epoch", async () => {
  const fixture = reconcileFixture({ "a/1.txt": "x", "b/2.txt": "y" })
  const { token } = await fixture.run()
  // Another program has counted the same commit as more, as those before this version did.
  const record = await fixture.record()
  const counted = { ...record, token: { ...token, seq: token.seq + 30 } }
  const existing = await fixture.kube.get("headrace", "release")
  await fixture.kube.replace({
    ...existing,
    ...recordConfigMap("headrace", counted),
    metadata: existing?.metadata ?? { namespace: "", name: "" },
  })

  for (const mode of ["incremental", "full"] as const) {
    const { result, token: now, failed } = await fixture.run(mode)
    expect(result).not.toBe("stopped")
    expect(failed).toEqual([])
    expect(compareTokens(now, counted.token)).toBeGreaterThan(0)
    expect(now.epoch).toBe(token.epoch + 1)
  }
})

/** A commit of one changed file, by an author and a committer with this clock. */
async function commitAt(repo: TestRepo, date: string, path: string): Promise<void> {
  await mkdir(dirname(join(repo.folder, path)), { recursive: true })
  await writeFile(join(repo.folder, path), date)
  const env = { ...testGitEnvironment, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date }
  execFileSync("git", ["-C", repo.folder, "add", "--all"], { env })
  execFileSync("git", ["-C", repo.folder, "commit", "--quiet", "--message", "change"], { env })
}
