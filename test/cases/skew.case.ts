import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"

const log = createLog("t", { level: "silent" })
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
it("skew", async () => {
  const top = mkdtempSync(`${(await import("node:os")).tmpdir()}/skew-`)
  const repo = join(top, "repo")
  const git = (...args: string[]) => execFileSync("git", ["-C", repo, ...args], { encoding: "utf8" }).trim()
  mkdirSync(join(repo, "a"), { recursive: true })
  mkdirSync(join(repo, "b"), { recursive: true })
  execFileSync("git", ["init", "-q", "-b", "main", repo])
  git("config", "user.email", "a@b")
  git("config", "user.name", "a")
  const commit = (date: string, msg: string, file = "a/x.txt") => {
    writeFileSync(join(repo, file), msg)
    git("add", "-A")
    execFileSync("git", ["-C", repo, "commit", "-qm", msg], {
      env: { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date },
    })
  }
  writeFileSync(join(repo, "rules.yaml"), RULES)
  for (let i = 1; i <= 30; i++) commit(`2024-01-01T00:${String(i).padStart(2, "0")}:00Z`, `n${i}`)
  git("branch", "fork")
  for (let i = 1; i <= 8; i++) commit(`2023-12-31T23:${String(i).padStart(2, "0")}:00Z`, `bot${i}`)
  const store = new ObjectStore({ createNamespaces: true })
  const kube = inProcessClient(store)
  const proc = async (name: string) => {
    const repository = await openMirror({
      name,
      url: repo,
      branch: "main",
      folder: join(top, "mirrors"),
      log,
    })
    return reconcilePorts({ kube, repository })
  }
  const show = async (what: string, out: unknown) => {
    const rec = await kube.get("headrace", "release")
    const r = rec && readRecord(rec)
    const seqs = []
    for (const n of ["alpha", "beta"])
      seqs.push(
        `${n}:${(await kube.get("ci", n))?.metadata.annotations?.["headrace.dev/seq"]}=${JSON.stringify((await kube.get("ci", n))?.data?.["x.txt"] ?? (await kube.get("ci", n))?.data?.["y.txt"])}`,
      )
    const o = out as any
    console.log(
      what,
      o.result,
      "stopped",
      o.stopped?.code,
      "failed",
      o.failed?.map((f: any) => `${f.target} ${f.reason.slice(0, 60)}`),
      "record seq",
      r?.token.seq,
      "epoch",
      r?.token.epoch,
      "commit",
      r?.commit?.slice(0, 7),
      "tip",
      git("rev-parse", "--short", "main"),
      "true count",
      git("rev-list", "--count", "main"),
      seqs.join(" "),
      "intents",
      r?.intents.length,
    )
  }
  const q = new AbortController().signal
  const one = await proc("one")
  await show(
    "A at M     ",
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, one, q),
  )
  git("checkout", "-q", "fork")
  commit("2024-01-01T01:00:00Z", "pr", "b/y.txt")
  git("checkout", "-q", "main")
  execFileSync("git", ["-C", repo, "merge", "-q", "--no-ff", "-m", "Merge pull request #1", "fork"], {
    env: { ...process.env, GIT_COMMITTER_DATE: "2024-01-01T01:10:00Z" },
  })
  await show(
    "A merge    ",
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, one, q),
  )
  const two = await proc("two")
  await show(
    "B same tip ",
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, two, q),
  )
  await show("B full     ", await reconcile({ cluster: "east", source: "release", mode: "full" }, two, q))
  for (let i = 0; i < 3; i++) {
    commit(`2024-01-01T02:0${i}:00Z`, `later${i}`, i % 2 ? "a/x.txt" : "b/y.txt")
    await show(
      `B commit ${i} `,
      await reconcile({ cluster: "east", source: "release", mode: "incremental" }, two, q),
    )
  }
  await show(
    "A again    ",
    await reconcile({ cluster: "east", source: "release", mode: "incremental" }, one, q),
  )
}, 60000)
