import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { it } from "vitest"
import { reconcilePorts } from "../harness/reconcile-ports.ts"
import { withMirror } from "../harness/with-mirror.ts"

const q = new AbortController().signal
const RULES = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
`
for (const [what, notes] of Object.entries({
  "commit is no id": { epoch: "900000000000000", commit: "x" },
  "commit is an id that is not there": { epoch: "900000000000000", commit: "a".repeat(40) },
  "largest epoch": { epoch: "1000000000000000", commit: undefined },
}))
  it(what, async () =>
    withMirror(async (mirror, repo) => {
      await repo.commit({ "rules.yaml": RULES, "a/x.txt": "1", "b/y.txt": "1" })
      const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
      const run = async (mode: any, t: string) => {
        const ports = reconcilePorts({ kube, repository: mirror })
        let text
        try {
          const o = await reconcile({ cluster: "east", source: "release", mode }, ports, q)
          text = `${o.result} written ${o.written} stopped ${o.stopped?.code} failed ${o.failed.map((f) => `${f.target} ${f.reason.slice(0, 30)}`)}`
        } catch (e: any) {
          text = `THROWS ${e.code}: ${e.message}`
        }
        const r = readRecord((await kube.get("headrace", "release"))!)
        console.log(
          "|",
          what,
          "|",
          t,
          "|",
          text,
          "| record",
          r.token.epoch,
          r.token.seq,
          r.commit?.slice(0, 7),
          "| beta",
          (await kube.get("ci", "beta"))?.data?.["y.txt"],
          (await kube.get("ci", "beta"))?.metadata.annotations?.["headrace.dev/epoch"],
        )
      }
      await run("incremental", "first")
      const alpha = (await kube.get("ci", "alpha"))!
      const annotations: any = { ...alpha.metadata.annotations, "headrace.dev/epoch": notes.epoch }
      if (notes.commit) annotations["headrace.dev/commit"] = notes.commit
      await kube.replace({ ...alpha, metadata: { ...alpha.metadata, annotations } })
      await run("full", "hourly")
      await repo.commit({ "b/y.txt": "2" })
      await run("incremental", "commit of another target")
      await repo.commit({ "b/y.txt": "3" })
      await run("incremental", "commit of another target")
      await run("full", "hourly")
      await run("full", "hourly")
    }),
  )
