import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { reconcileSite, withBenchSite } from "./curve/bench-site.ts"

const TARGETS = Number(process.env.HEADRACE_BENCH_TARGETS ?? 1000)
const CHANGED = `${TARGETS.toLocaleString("en")} targets changed by one merge: until recorded, s`
const REBUILD = `${TARGETS.toLocaleString("en")} targets: rebuild unchanged, s`

export const goals = { [CHANGED]: 15, [REBUILD]: 2 }

/**
 * One merge that changes a file of each of 1,000 targets, until the record shows it: every named ConfigMap read and written,
 * every shard and index. Flux' own benchmark reports 4 min 15 s for 1,000 Kustomizations on 16 cores.
 * HEADRACE_BENCH_TARGETS: how many.
 */
export async function run(): Promise<Record<string, number>> {
  return withBenchSite(
    async (folder) => createRepository(folder),
    async ({ reconciler, repository, serverUsage }) => {
      await reconcileSite(reconciler, "incremental", "applied")
      repository.changeAll()
      const [before, own, start] = [await serverUsage(), process.cpuUsage(), performance.now()]
      await reconcileSite(reconciler, "incremental", "applied")
      const seconds = (performance.now() - start) / 1000
      const after = await serverUsage()
      const { user, system } = process.cpuUsage(own)
      const rebuild = performance.now()
      await reconcileSite(reconciler, "full", "noop")
      return {
        [CHANGED]: seconds,
        "requests to the API server": after.requests - before.requests,
        "CPU of the writer, s": (user + system) / 1e6,
        "CPU of the API server, s": after.cpuSeconds - before.cpuSeconds,
        [REBUILD]: (performance.now() - rebuild) / 1000,
      }
    },
  )
}

/** A target for each of so many folders, of three files. */
function createRepository(folder: string) {
  mkdirSync(folder)
  const git = (...args: string[]) => execFileSync("git", ["-C", folder, ...args], { stdio: "ignore" })
  const teams = Array.from({ length: TARGETS }, (_, at) => `team-${at}`)
  function write(version: number): void {
    for (const team of teams) {
      for (const part of version === 0 ? [0, 1, 2] : [0]) {
        const file = join(folder, `jobs/${team}/part-${part}.yaml`)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, `team: ${team}\npart: ${part}\nversion: ${version}\n`.repeat(20))
      }
    }
    git("add", "--all")
    git("-c", "user.name=bench", "-c", "user.email=bench@example.invalid", "commit", "--quiet", "-m", "edit")
  }
  git("init", "--quiet", "--initial-branch=main")
  const rules = teams.map((team) => `    "jobs/${team}/*.yaml": {name: ${team}}\n`)
  writeFileSync(join(folder, "rules.yaml"), `config_updater:\n  maps:\n${rules.join("")}`)
  write(0)
  return { folder, branch: "main", rules: "rules.yaml", changeAll: () => write(1) }
}
