import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { withMirror } from "../harness/with-mirror.ts"

const q = new AbortController().signal
const RULES = `
config_updater:
  maps:
    current/*.yaml: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
const POINTER = (n: number) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize ${1000 + n}\n`
it("links and lfs", async () =>
  withMirror(async (mirror, repo) => {
    const files: any = { "rules.yaml": RULES, current: { link: "releases/v1" } }
    for (let i = 0; i < 15; i++) {
      files[`releases/v1/${i}.yaml`] = `v1 ${i}`
      files[`b/${i}.txt`] = `b ${i} ${"x".repeat(150)}`
    }
    await repo.commit(files)
    const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
    const ports = reconcilePorts({
      kube,
      repository: mirror,
      settings: { guard: { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 } } as any,
    })
    const run = async (t: string) => {
      const o = await reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, q)
      const n = async (x: string) => Object.keys((await kube.get("ci", x))?.data ?? {}).length - 1
      console.log(
        "|",
        t,
        "|",
        o.result,
        "stopped",
        o.stopped?.code,
        "failed",
        o.failed.map((f) => `${f.target} ${f.reason}`),
        "keys alpha",
        await n("alpha"),
        "beta",
        await n("beta"),
      )
    }
    await run("start")
    // releases/v1 renamed to v2, the link forgotten
    const move: any = {}
    for (let i = 0; i < 15; i++) {
      move[`releases/v1/${i}.yaml`] = null
      move[`releases/v2/${i}.yaml`] = `v1 ${i}`
    }
    await repo.commit(move)
    await run("link to the folder dangles")
    const lfs: any = { ".gitattributes": "b/*.txt filter=lfs diff=lfs merge=lfs -text\n" }
    for (let i = 0; i < 15; i++) lfs[`b/${i}.txt`] = POINTER(i)
    await repo.commit(lfs)
    await run("files moved to Git LFS")
  }))
