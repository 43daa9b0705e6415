import { execFile } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { freePort } from "@headrace/config/local/free-port"
import { push, sendWebhook } from "@headrace/config/local/signed-webhook"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { logLines, type MarkedRun, runMarked } from "../harness/run-marked.ts"
import { until } from "../harness/until.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type Changes, type TestRepo, withRepo } from "../harness/with-repo.ts"
import type { Programs } from "./earlier-programs.ts"

export type Version = "earlier" | "today"

const NAMESPACE = "headrace"
const SECRET = "a secret of the tests"
const LIMIT_MS = 240_000
const TROUBLES = ["warn", "error", "fatal"]

/** How a run of the bootstrapper ended. */
interface CommandResult {
  code: number
  text: string
}

/** One cluster, one branch, one Redis, and programs of two versions. */
export interface Fleet {
  kube: TestKube
  repo: TestRepo
  /** Members of the operator's file in place of the usual ones; it stays within what both versions read. */
  settings(members: { [member: string]: unknown }): Promise<void>
  commit(changes: Changes): Promise<string>
  /** Runs headrace-bootstrapper. */
  run(version: Version, ...args: string[]): Promise<CommandResult>
  /** Starts it, waits until the record has an open intent, and kills it there: the API server takes no object more. */
  dieWithIntent(version: Version): Promise<void>
  removeRecord(): Promise<void>
  /** The record as it is stored. */
  record(): Promise<StoredRecord>
  /** `name@resourceVersion` of every ConfigMap, the record among them. */
  objects(): Promise<string[]>
  /** All of them, as they are. */
  configMaps(): Promise<ConfigMap[]>
  /** What the named ConfigMap `ci/jobs` holds. */
  view(): Promise<{ [key: string]: string } | undefined>
  /** `more`: lines of its settings beside the usual ones. */
  agent(version: Version, name: string, more?: string): Promise<AgentRun>
  plugin(version: Version): Promise<PluginRun>
}

interface StoredRecord {
  format: number
  token: { epoch: number; seq: number }
  commit: string | null
  intents: unknown[]
  stopped: { code: string } | null
}

export interface AgentRun {
  /** The content of key `a` at the agent's projection; undefined: nothing is shown. */
  shown(): string | undefined
  /** Codes of problems in its log so far. */
  problems(): string[]
  /** The end of its log. */
  lastLines(): string
  stop(): Promise<void>
}

interface PluginRun {
  /** Sends a signed push of the branch, or of this tip of it; gives the status. */
  deliver(tip?: string): Promise<number>
  problems(): string[]
  stop(): Promise<void>
}

export const RULES = "config_updater: {maps: {'jobs/*': {name: jobs, clusters: {east: [ci]}}}}"

/** Runs `use` with a fleet of its own. */
export function withFleet<T>(
  programs: Record<Version, Programs>,
  use: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  return withKube((kube) =>
    withRepo((repo) =>
      withRedis(async ({ url }) => {
        const running: MarkedRun[] = []
        try {
          return await use(await createFleet(programs, kube, repo, url, running))
        } finally {
          for (const { child } of running) child.kill("SIGKILL")
          await Promise.all(running.map(({ ended }) => ended))
        }
      }),
    ),
  )
}

async function createFleet(
  programs: Record<Version, Programs>,
  kube: TestKube,
  repo: TestRepo,
  redis: string,
  running: MarkedRun[],
): Promise<Fleet> {
  const config = join(repo.scratch, "headrace.yaml")
  const secretFile = join(repo.scratch, "hmac")
  await writeFile(secretFile, SECRET)
  const usual = {
    version: 1,
    namespace: NAMESPACE,
    sources: {
      release: { url: repo.folder, repo: "example/config", branch: "main", rules: "rules.yaml", poll: "1h" },
    },
    clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] } },
    redis: { url: redis },
    webhook: { secretFiles: [secretFile] },
    mirrors: join(repo.scratch, "mirrors"),
  }
  const settings = (members: object) => writeFile(config, JSON.stringify({ ...usual, ...members }))
  await settings({})
  const node = (main: string, args: readonly string[]) => [
    "--conditions=source",
    "--no-warnings",
    main,
    ...args,
  ]
  function start(main: string, args: readonly string[]): MarkedRun {
    const run = runMarked(node(main, args))
    running.push(run)
    return run
  }
  async function stop({ child, ended, output }: MarkedRun): Promise<void> {
    child.kill("SIGTERM")
    await until(() => child.exitCode !== null || child.signalCode !== null, LIMIT_MS).catch((cause) => {
      throw new Error(`${child.spawnargs.join(" ")} does not end: ${output().slice(-500)}`, { cause })
    })
    await ended
  }
  const client = inProcessClient(kube.store)
  async function record(): Promise<StoredRecord> {
    const text = (await client.get(NAMESPACE, "release"))?.data?.["record.json"]
    if (text === undefined) throw new Error("no record")
    return JSON.parse(text)
  }

  async function configMaps(): Promise<ConfigMap[]> {
    const lists = await Promise.all([NAMESPACE, "ci"].map((namespace) => client.list(namespace, {})))
    return lists.flatMap(({ items }) => items)
  }

  return {
    kube,
    repo,
    settings,
    configMaps,
    record,
    commit: (changes) => repo.commit(changes),
    run: (version, ...args) => runOnce(node(programs[version].bootstrapper, [...args, "--config", config])),
    async dieWithIntent(version) {
      kube.faults.plan({ answer: { kind: "hang" }, verb: "create", resource: "configmaps", times: 1000 })
      const run = start(programs[version].bootstrapper, ["apply", "--direct", "--config", config])
      await until(async () => (await record()).intents.length > 0, LIMIT_MS)
      run.child.kill("SIGKILL")
      await run.ended
      kube.faults.clear()
    },
    async removeRecord() {
      const found = await client.get(NAMESPACE, "release")
      if (found) await client.remove(found)
    },
    async objects() {
      const metadata = (await configMaps()).map((item) => item.metadata)
      return metadata.map(({ name, resourceVersion }) => `${name}@${resourceVersion}`).sort()
    },
    view: async () => (await client.get("ci", "jobs"))?.data,
    async agent(version, name, more = "") {
      const path = join(repo.scratch, "nodes", name)
      const file = join(repo.scratch, `${name}.yaml`)
      await writeFile(
        file,
        `version: 1
record: ${NAMESPACE}/release
kubeconfig: ${kube.kubeconfigFile}
listen: 127.0.0.1:0
${more}projections:
  jobs: {path: ${path}, from: [{configMap: ci/jobs}], keep: {age: 0s}}
`,
      )
      const run = start(programs[version].agent, ["--config", file])
      await until(() => run.output().includes('"agent started"') || run.child.exitCode !== null, LIMIT_MS)
      const shown = join(path, "a")
      return {
        shown: () => (existsSync(shown) ? readFileSync(shown, "utf8") : undefined),
        problems: () => problemsIn(run),
        lastLines: () => run.output().slice(-2000),
        stop: () => stop(run),
      }
    },
    async plugin(version) {
      const listen = `127.0.0.1:${await freePort()}`
      const run = start(programs[version].plugin, ["--config", config, "--listen", listen])
      await until(() => run.output().includes('"plugin started"') || run.child.exitCode !== null, LIMIT_MS)
      const hook = {
        url: `http://${listen}/hook`,
        secret: SECRET,
        repository: "example/config",
        branch: "main",
      }
      return {
        deliver: async (tip) => sendWebhook(hook, "push", push(hook, "", tip ?? (await repo.tip()))),
        problems: () => problemsIn(run),
        stop: () => stop(run),
      }
    },
  }
}

function runOnce(args: readonly string[]): Promise<CommandResult> {
  return new Promise((done) => {
    execFile(process.execPath, args, { maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : error ? 1 : 0
      done({ code, text: `${stdout}${stderr}` })
    })
  })
}

/** Error codes in the warnings and errors of a program's log, and its exit code where that is not 0. */
function problemsIn(run: MarkedRun): string[] {
  const lines = logLines(run.output()).filter(({ level }) => TROUBLES.includes(`${level}`))
  const codes = lines.flatMap(
    (line) => JSON.stringify(line).match(/\b(record|publish|projection)\/[a-z-]+/g) ?? [],
  )
  return [...new Set([...codes, ...(run.child.exitCode ? [`exit ${run.child.exitCode}`] : [])])]
}
