import { procUsage } from "../../harness/proc-usage.ts"
import { quantile } from "../quantile.ts"
import { createBenchRepository } from "./bench-repository.ts"
import { type BenchSite, reconcileSite, withBenchSite } from "./bench-site.ts"

/**
 * What one changed file costs among so many: `node one-size.ts FILES [one-target]`, a process for each size, so that its
 * memory is its own. The API server is a process beside it. Sends its figures to its parent.
 */
export interface SizeFigures {
  files: number
  /** Milliseconds. */
  beyondFetch: number
  fetch: number
  plan: number
  /** Milliseconds of CPU of this process for a whole reconcile, the fetch too. */
  cpu: number
  firstProjection: number
  /** Of the first projection: requests to the API server, and its share of the CPU that both took. */
  firstRequests: number
  firstServerShare: number
  rebuild: number
  residentMegabytes: number
}

const WARM_UP = 5
const RUNS = 31

async function measureSize(files: number, view: boolean): Promise<SizeFigures> {
  return withBenchSite(
    (folder) => createBenchRepository(folder, files, view),
    async (site) => ({
      files,
      ...(await measureFirst(site)),
      ...(await measureChanges(site)),
    }),
  )
}

type Site = BenchSite<Awaited<ReturnType<typeof createBenchRepository>>>

async function measureFirst({ reconciler, serverUsage }: Site) {
  const [before, own] = [await serverUsage(), process.cpuUsage()]
  const firstProjection = await milliseconds(() => reconcileSite(reconciler, "incremental", "applied"))
  const after = await serverUsage()
  const { user, system } = process.cpuUsage(own)
  const server = after.cpuSeconds - before.cpuSeconds
  return {
    firstProjection,
    firstRequests: after.requests - before.requests,
    firstServerShare: server / (server + (user + system) / 1e6),
  }
}

async function measureChanges({ reconciler, repository }: Site) {
  const changes = []
  for (let round = 1; round <= WARM_UP + RUNS; round++) {
    await repository.changeOne(round)
    const before = process.cpuUsage()
    const start = performance.now()
    const { stages } = await reconcileSite(reconciler, "incremental", "applied")
    const beyond = performance.now() - start - stages.fetch
    const { user, system } = process.cpuUsage(before)
    changes.push({ ...stages, beyond, cpu: (user + system) / 1000 })
  }
  const { residentMegabytes } = procUsage(process.pid)
  const rebuild = await milliseconds(() => reconcileSite(reconciler, "full", "noop"))
  const warm = changes.slice(WARM_UP)
  const median = (figure: "beyond" | "fetch" | "plan" | "cpu") =>
    quantile(
      warm.map((change) => change[figure]),
      0.5,
    )
  return {
    beyondFetch: median("beyond"),
    fetch: median("fetch"),
    plan: median("plan"),
    cpu: median("cpu"),
    rebuild,
    residentMegabytes,
  }
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

const [, , files = "", shape] = process.argv
const figures = await measureSize(Number(files), shape !== "one-target")
process.send?.(figures)
process.stdout.write(process.send ? "" : `${JSON.stringify(figures, null, 2)}\n`)
process.exit(0)
