import { it } from "vitest"
import { withOperator } from "../harness/with-operator.ts"

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
      withOperator(async (operator) => {
        const files: any = { "rules.yaml": R1, "rules2.yaml": R2 }
        for (let i = 0; i < 40; i++) for (const d of ["a", "b", "c"]) files[`${d}/${i}.txt`] = `${d}${i}`
        await operator.repo.commit(files)
        const places = async () =>
          operator.kube.store
            .list((await import("@headrace/config/local/embedded-kube/resource-kind")).CONFIG_MAPS, "ci")
            .map((o) => `${o.metadata.name}:${Object.keys((o as any).data ?? {}).length}`)
            .join(" ")
        const guard = { deletedKeys: "20%", deletedConfigMaps: "20%", atLeast: 20 }
        const source = (rules: string) => ({
          sources: { release: { url: operator.repo.folder, branch: operator.repo.branch, rules } },
          guard,
        })
        await operator.writeConfig(source("rules.yaml"))
        let o = await operator.run("apply", "--direct")
        console.log("|", broken, "| first", o.code, o.stderr?.slice(0, 300), await places())
        if (broken) await operator.repo.commit({ "rules2.yaml": "config_updater: {maps: [}" })
        else {
          // control: the same rules dropped by a commit
          await operator.repo.commit({ "rules.yaml": R2 })
          o = await operator.run("apply", "--direct", "--prune")
          console.log(
            "|",
            broken,
            "| rules dropped by a commit:",
            o.code,
            o.stdout.replace(/\s+/g, " ").slice(0, 200),
            "|",
            await places(),
          )
          await operator.repo.commit({ "rules.yaml": R1 })
          await operator.run("apply", "--direct")
        }
        await operator.writeConfig(source("rules2.yaml"))
        o = await operator.run("apply", "--direct", "--prune")
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
