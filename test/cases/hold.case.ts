import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { systemClock } from "@headrace/shared/foundation/clock"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { rewindSource } from "@headrace/shared/reconcile/operate/hold-source"
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
`
it("held commit leaves the mirror", async () =>
  withMirror(async (mirror, repo) => {
    const base = await repo.commit({ "rules.yaml": RULES, "a/x.txt": "base" })
    const good = await repo.commit({ "a/x.txt": "good" })
    const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
    const run = async (m: any, mode: any, t: string) => {
      const ports = reconcilePorts({ kube, repository: m })
      let x
      try {
        const o = await reconcile({ cluster: "east", source: "release", mode }, ports, q)
        x = `${o.result} ${o.stopped?.code ?? ""} written ${o.written}`
      } catch (e: any) {
        x = `THROWS ${e.code}`
      }
      console.log("|", t, "|", x, "| alpha", (await kube.get("ci", "alpha"))?.data?.["x.txt"])
    }
    await run(mirror, "incremental", "at good")
    await repo.git("reset", "-q", "--hard", base)
    await repo.commit({ "a/x.txt": "rewritten" })
    await run(mirror, "incremental", "branch rewritten")
    await rewindSource(
      {
        kube,
        namespace: "headrace",
        source: "release",
        clock: systemClock,
        repository: mirror,
        rulesRepository: mirror,
      },
      { commit: good, by: "me", reason: "keep good", until: null },
      q,
    )
    await run(mirror, "incremental", "rewind --to good")
    // the plugin's pod is replaced: a new mirror
    const fresh = await openMirror({
      name: "fresh",
      url: repo.folder,
      branch: "main",
      folder: `${repo.scratch}/fresh`,
      log: createLog("t", { level: "silent" }),
    })
    const alpha = (await kube.get("ci", "alpha"))!
    await kube.replace({ ...alpha, data: { ...alpha.data, "x.txt": "edited by hand" } })
    await run(fresh, "full", "new pod, hourly full after a hand edit")
    await run(mirror, "full", "old pod, the same")
    console.log("| record", readRecord((await kube.get("headrace", "release"))!).stopped)
    await fresh.close()
  }))
