import { it } from "vitest"
import { withDesk } from "../harness/with-desk.ts"

const R1 = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
    b/*.txt: {name: beta, clusters: {east: [ci]}}
    c/*.txt: {name: gamma, clusters: {east: [ci]}}
`
const R2 = `
config_updater:
  maps:
    a/*.txt: {name: alpha, clusters: {east: [ci]}}
`
for (const broken of [false, true])
  it(
    `prune, tip broken ${broken}`,
    async () =>
      withDesk(async (desk) => {
        const files: any = { "rules.yaml": R1, "rules2.yaml": R2 }
        for (let i = 0; i < 40; i++) for (const d of ["a", "b", "c"]) files[`${d}/${i}.txt`] = `${d}${i}`
        await desk.repo.commit(files)
        const places = async () =>
          desk.kube.store
            .list((await import("@headrace/config/local/embedded-kube/resource-kind")).CONFIG_MAPS, "ci")
            .map((o) => `${o.metadata.name}:${Object.keys((o as any).data ?? {}).length}`)
            .join(" ")
        const guard = { deletedKeys: "20%", deletedConfigMaps: "20%", atLeast: 20 }
        const source = (rules: string) => ({
          sources: { release: { url: desk.repo.folder, branch: desk.repo.branch, rules } },
          guard,
        })
        await desk.settle(source("rules.yaml"))
        let o = await desk.run("apply", "--direct")
        console.log("|", broken, "| first", o.code, o.stderr?.slice(0, 300), await places())
        if (broken) await desk.repo.commit({ "rules2.yaml": "config_updater: {maps: [}" })
        else {
          // control: the same rules dropped by a commit
          await desk.repo.commit({ "rules.yaml": R2 })
          o = await desk.run("apply", "--direct", "--prune")
          console.log(
            "|",
            broken,
            "| rules dropped by a commit:",
            o.code,
            o.stdout.replace(/\s+/g, " ").slice(0, 200),
            "|",
            await places(),
          )
          await desk.repo.commit({ "rules.yaml": R1 })
          await desk.run("apply", "--direct")
        }
        await desk.settle(source("rules2.yaml"))
        o = await desk.run("apply", "--direct", "--prune")
        console.log(
          "|",
          broken,
          "| settings name another rules file:",
          o.code,
          o.stdout.replace(/\s+/g, " ").slice(0, 300),
          "|",
          await places(),
        )
      }),
    60000,
  )
