import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { promisify } from "node:util"
import { startEmbeddedKube } from "@headrace/shared/kube/embedded/start-embedded-kube"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"

const RULES = "config_updater:\n  maps:\n    'jobs/*.yaml': {name: jobs, clusters: {east: [ci]}}\n"
const MAIN = resolve(import.meta.dirname, "../../main.ts")

interface Desk {
  repo: TestRepo
  /** Runs the program; its output as JSON, and its exit code. */
  run(...args: string[]): Promise<{ code: number; places: { [member: string]: unknown }[] }>
}

async function withDesk(fn: (desk: Desk) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-operate-"))
  const kube = await startEmbeddedKube({ createNamespaces: true })
  try {
    await withRepo(async (repo) => {
      const kubeconfig = join(folder, "kubeconfig")
      const config = join(folder, "headrace.yaml")
      await writeFile(kubeconfig, kube.kubeconfig)
      const settings = {
        version: 1,
        sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
        clusters: { east: { kubeconfig } },
        guard: { atLeast: 0 },
        mirrors: join(folder, "mirrors"),
      }
      await writeFile(config, JSON.stringify(settings))
      await fn({ repo, run: (...args) => runMain([...args, "--config", config, "-o", "json"]) })
    })
  } finally {
    await kube.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runMain(args: string[]) {
  const done = await promisify(execFile)(process.execPath, ["--conditions=source", MAIN, ...args]).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  return { code: done.code, places: done.stdout ? JSON.parse(done.stdout) : [] }
}

it("applies directly, tells the state, holds, rewinds, approves and gives back to Prow", {
  timeout: 120_000,
}, async () => {
  await withDesk(async ({ repo, run }) => {
    expect((await run("status")).places).toMatchObject([
      { cluster: "east", source: "release", state: "absent" },
    ])
    const first = await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1", "jobs/b.yaml": "b: 1" })
    expect(await run("apply", "--direct")).toMatchObject({
      code: 0,
      places: [{ result: "applied", commit: first }],
    })
    expect(await run("apply", "--direct")).toMatchObject({
      code: 0,
      places: [{ result: "noop", written: 0 }],
    })

    expect(await run("hold", "--reason", "freeze", "--by", "me")).toMatchObject({
      code: 0,
      places: [{ hold: { commit: first, by: "me", until: null } }],
    })
    const second = await repo.commit({ "jobs/a.yaml": "a: 2" })
    expect((await run("apply", "--direct")).places).toMatchObject([{ commit: first }])
    expect((await run("status")).places).toMatchObject([{ state: "held", tip: second, behind: 1 }])
    await run("release")
    expect((await run("apply", "--direct")).places).toMatchObject([{ commit: second }])

    await run("rewind", "--to", first, "--reason", "bad merge")
    const rewound = (await run("apply", "--direct")).places
    expect(rewound).toMatchObject([{ commit: first, token: { epoch: 1 } }])
    await run("release")

    const emptied = await repo.commit({ "jobs/a.yaml": null, "jobs/b.yaml": null })
    expect(await run("apply", "--direct")).toMatchObject({
      code: 1,
      places: [{ error: { code: "guard/deleted-keys" } }],
    })
    expect((await run("status")).places).toMatchObject([{ state: "stopped", commit: first }])
    await run("approve", "--commit", emptied)
    expect((await run("apply", "--direct")).places).toMatchObject([{ commit: emptied, result: "applied" }])
    expect((await run("status")).places).toMatchObject([
      { state: "current", behind: 0, failed: [], store: { targets: 1, files: 0, bytes: 0 } },
    ])
    expect((await run("detach")).places).toMatchObject([{ detached: ["ci/jobs"] }])
    expect((await run("status")).places).toMatchObject([{ state: "absent" }])
  })
})

it("shows ConfigMaps that no rule names any more, and removes them when told to", {
  timeout: 120_000,
}, async () => {
  await withDesk(async ({ repo, run }) => {
    await repo.commit({ "rules.yaml": RULES, "jobs/a.yaml": "a: 1" })
    await run("apply", "--direct")
    const renamed = await repo.commit({ "rules.yaml": RULES.replace("name: jobs", "name: work") })
    await run("approve", "--commit", renamed)
    expect((await run("apply", "--direct")).places).toMatchObject([{ orphans: ["ci/jobs"], pruned: [] }])
    expect((await run("apply", "--direct", "--prune")).places).toMatchObject([
      { orphans: [], pruned: ["ci/jobs"] },
    ])
    expect((await run("apply", "--direct")).places).toMatchObject([{ orphans: [], result: "noop" }])
  })
})

it("names what is wrong with the call and ends with 2", async () => {
  await withDesk(async ({ run }) => {
    expect((await run("status", "--cluster", "nowhere")).code).toBe(2)
    expect((await run("rewind", "--to", "abc", "--reason", "x")).code).toBe(2)
  })
})
