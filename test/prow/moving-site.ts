import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { dump, load } from "js-yaml"
import { rawRequest } from "../contract/raw-request.ts"
import { linesUnder, pageText } from "../docs/typed-lines.ts"
import { type KubeletReader, withKubeletReader } from "../harness/kubelet-reader.ts"
import { openShell, type Typed } from "../harness/open-shell.ts"
import { type ApiServer, goGzip, type ProwContent, writeAsProw } from "../harness/prow-writer.ts"
import { type BootstrapperRun, runBootstrapper } from "../harness/run-bootstrapper.ts"
import { type PluginProcess, withPluginProcess } from "../harness/with-plugin-process.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type Changes, type TestRepo, withRepo } from "../harness/with-repo.ts"

/** An API server of a cluster, as both kinds of them give it. */
export interface Cluster extends ApiServer {
  kubeconfigFile: string
}
type ClusterName = "app.ci" | "build01"
/** ConfigMaps of namespace `ci` by name. */
type Content = Record<string, Record<string, Buffer>>

/** A Prow installation with its repository and two clusters, and all that it takes to move it over. */
export interface MovingSite {
  repo: TestRepo
  appCi: Cluster
  build01: Cluster
  /** Kubelet-style readers of namespace `ci`, at work all the while. */
  readers: Map<ClusterName, KubeletReader>
  /** Commits to main; the readers know first what the new tip holds. */
  commit(changes: Changes): Promise<string>
  /** Prow writes everything as of now, with this VERSION. */
  writeByProw(program: "hook" | "config-bootstrapper", version?: string): Promise<void>
  writeOne(
    cluster: ClusterName,
    program: "hook" | "config-bootstrapper",
    name: string,
    content: ProwContent,
    version?: string,
  ): Promise<void>
  /** ConfigMaps that do not hold what the tip gives them. */
  missing(cluster: ClusterName): Promise<string[]>
  /** Writes the operator's file. */
  settle(clusters: Record<string, Cluster>, sources?: object): Promise<void>
  run(command: string, ...args: string[]): Promise<BootstrapperRun>
  /** Types the lines that docs/prow.md has under a heading, in a fresh clone with the operator's file; `changed` replaces paths. */
  type(heading: string, changed?: readonly (readonly [string, string])[]): Promise<Typed[]>
  /** What `status` prints, by cluster. */
  status(): Promise<Record<string, unknown>>
  /** Names of what is left in our own namespace besides the store. */
  records(): Promise<string[]>
  withPlugin(use: (plugin: PluginProcess) => Promise<void>): Promise<void>
}

const PAGE = "docs/prow.md"
/** Prow's HMAC secret. */
export const SECRET = "of Prow's hook"
export const PATH = {
  rules: "core-services/prow/02_config/_plugins.yaml",
  config: "core-services/prow/02_config/_config.yaml",
  labels: "core-services/labels/labels.yaml",
  job: "jobs/a.yaml",
}

const RULES = `
external_plugins: {openshift/release: [{name: headrace}]}
config_updater:
  cluster_groups:
    both: {clusters: [app.ci, build01], namespaces: [ci]}
  maps:
    ${PATH.config}: {name: config, key: config.yaml}
    ${PATH.rules}: {name: plugins, key: plugins.yaml}
    ${PATH.labels}: {name: labels, clusters: {app.ci: [ci]}}
    jobs/**/*.yaml: {name: job-config, gzip: true, cluster_groups: [both]}
    registry/*.yaml:
      partitioned_names: [registry-0, registry-1]
      use_full_path_as_key: true
      clusters: {build01: [ci]}
    web/*: {name: deck-extensions, clusters: {app.ci: [""]}}
`
const JOB =
  "presubmits:\n  org/repo:\n  - name: unit\n    always_run: true\n  - name: lint\n    always_run: true\n"
/** That job as Go's compress/gzip (1.19, default level) packs it: not the bytes that zlib makes. */
const JOB_BY_GO =
  "H4sIAAAAAAAA/yooSi0uTcrNLCm24lJQyC9K1y9KLcgHsXUV8hJzU60USvMyS7gUFBQUEnPKEyuL44tK86wUSopKU5HU5GTm4VADCAAA//+MBaHzYAAAAA=="

/** The repository as Prow has served it so far. */
export const FILES: Record<string, string | Buffer> = {
  [PATH.rules]: RULES,
  [PATH.labels]: "labels: []\n",
  [PATH.job]: JOB,
  [PATH.config]: "prowjob_namespace: ci\ndeck: {}\n",
  "jobs/sub/b.yaml": "periodics: []\n",
  "registry/x.yaml": "x: 1\n",
  "registry/y.yaml": "y: 1\n",
  "registry/z.yaml": "z: 1\n",
  "web/logo.png": Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]),
  "web/style.css": "body {}\n",
}

/** What Prow's updateconfig makes of these files in each cluster. */
export function prowContent(files: Record<string, string | Buffer>): Record<ClusterName, Content> {
  const content: Record<ClusterName, Content> = { "app.ci": {}, build01: {} }
  for (const [path, value] of Object.entries(files)) {
    for (const [cluster, name, key] of placesOf(path)) {
      const bytes = name === "job-config" ? packed(value) : Buffer.from(value)
      content[cluster][name] = { ...content[cluster][name], [key]: bytes }
    }
  }
  return content
}

/** Cluster, ConfigMap and key that a file goes to by RULES. */
function placesOf(path: string): [ClusterName, string, string][] {
  const [top = ""] = path.split("/")
  const base = path.split("/").at(-1) ?? ""
  const full = path.replaceAll("/", "-")
  if (path === PATH.config) return [["app.ci", "config", "config.yaml"]]
  if (path === PATH.rules) return [["app.ci", "plugins", "plugins.yaml"]]
  if (path === PATH.labels) return [["app.ci", "labels", base]]
  if (top === "web") return [["app.ci", "deck-extensions", base]]
  if (top === "registry") return [["build01", `registry-${partition(full)}`, full]]
  return [
    ["app.ci", "job-config", base],
    ["build01", "job-config", base],
  ]
}

function packed(value: string | Buffer): Buffer {
  return value === JOB ? Buffer.from(JOB_BY_GO, "base64") : goGzip(value.toString())
}

function partition(key: string): number {
  return (createHash("sha256").update(key).digest()[0] ?? 0) % 2
}

/** Builds the site and runs `use` with it. `labels` was made by hand, before Prow put labels on what it creates. */
export async function withMovingSite(
  appCi: Cluster,
  build01: Cluster,
  use: (site: MovingSite) => Promise<void>,
): Promise<void> {
  const clusters = { "app.ci": appCi, build01 }
  for (const server of [appCi, build01]) {
    for (const name of ["ci", "headrace"]) {
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
      await rawRequest(server, "POST", "/api/v1/namespaces", body)
    }
  }
  const labels = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "labels" } }
  await rawRequest(appCi, "POST", "/api/v1/namespaces/ci/configmaps", labels, { "user-agent": "kubectl/v1" })
  await withRepo((repo) =>
    withRedis((redis) =>
      withKubeletReader(appCi.kubeconfigFile, "ci", (first) =>
        withKubeletReader(build01.kubeconfigFile, "ci", async (second) => {
          const readers = new Map<ClusterName, KubeletReader>([
            ["app.ci", first],
            ["build01", second],
          ])
          const site = await openSite(repo, redis.url, clusters, readers)
          await site.commit(FILES)
          await use(site)
        }),
      ),
    ),
  )
}

async function openSite(
  repo: TestRepo,
  redis: string,
  clusters: Record<ClusterName, Cluster>,
  readers: MovingSite["readers"],
): Promise<MovingSite> {
  const clone = join(repo.scratch, "release")
  await repo.git("clone", "--quiet", repo.folder, clone)
  await writeFile(join(clone, ".git/info/exclude"), "headrace.yaml\n")
  const config = join(clone, "headrace.yaml")
  const line = await openShell({ cwd: clone, home: join(repo.scratch, "home") })
  const secretFile = join(repo.scratch, "hmac")
  await writeFile(secretFile, `${SECRET}\n`)
  let files: Record<string, string | Buffer> = {}
  const page = settingsOfPage()
  const release = { ...page.sources.release, url: repo.folder, repo: "openshift/release", poll: "1h" }

  async function settle(to: Record<string, Cluster>, sources: object = { release }): Promise<void> {
    const places = Object.entries(to).map(([name, { kubeconfigFile }]) => [
      name,
      { kubeconfig: kubeconfigFile },
    ])
    const settings = {
      ...page,
      sources,
      otherClusters: page.otherClusters.filter((name) => !(name in to)),
      clusters: Object.fromEntries(places),
      redis: { url: redis },
      webhook: { ...(page.webhook as object), secretFiles: [secretFile] },
      mirrors: join(repo.scratch, "mirrors"),
    }
    await writeFile(config, JSON.stringify(settings))
  }
  await settle(clusters)
  const run = (command: string, ...args: string[]) =>
    runBootstrapper([command, "--config", config, ...args], repo.folder)
  const site: MovingSite = {
    repo,
    appCi: clusters["app.ci"],
    build01: clusters.build01,
    readers,
    settle,
    run,
    async type(heading, changed = []) {
      await repo.git("-C", clone, "pull", "--quiet")
      const typed: Typed[] = []
      for (const printed of linesUnder(PAGE, heading)) {
        const here = changed.reduce((text, [from, to]) => text.replaceAll(from, to), printed)
        typed.push(await line(here))
      }
      return typed
    },
    async commit(changes) {
      const next = Object.entries({ ...files, ...changes }).filter(([, value]) => value !== null)
      files = Object.fromEntries(next) as typeof files
      for (const [cluster, content] of Object.entries(prowContent(files))) {
        const reader = readers.get(cluster as ClusterName)
        if (reader)
          reader.tip = new Map(Object.entries(content).map(([name, keys]) => [name, Object.keys(keys)]))
      }
      return repo.commit(changes)
    },
    async writeByProw(program, version) {
      for (const [cluster, content] of Object.entries(prowContent(files))) {
        for (const [name, keys] of Object.entries(content)) {
          await writeAsProw(clusters[cluster as ClusterName], program, name, keys, version)
        }
      }
    },
    writeOne: (cluster, program, name, content, version) =>
      writeAsProw(clusters[cluster], program, name, content, version),
    async missing(cluster) {
      const wanted = Object.entries(prowContent(files)[cluster])
      const held = await Promise.all(wanted.map(([name]) => read(clusters[cluster], name)))
      return wanted.filter(([, keys], at) => !isHeld(keys, held[at])).map(([name]) => name)
    },
    async status() {
      const { clusterSources } = JSON.parse((await run("status", "-o", "json")).stdout)
      const places: { cluster: string }[] = clusterSources
      return Object.fromEntries(places.map((place) => [place.cluster, place]))
    },
    async records() {
      const query = "labelSelector=app.kubernetes.io/component%3Drecord"
      const lists = await Promise.all(
        Object.values(clusters).map((server) =>
          rawRequest(server, "GET", `/api/v1/namespaces/headrace/configmaps?${query}`),
        ),
      )
      const items = lists.flatMap(({ body }) => body.items as { metadata: { name: string } }[])
      return items.map(({ metadata }) => metadata.name)
    },
    withPlugin: (use) => withPluginProcess(config, use),
  }
  return site
}

/** The operator's file that docs/prow.md begins with. */
function settingsOfPage(): Record<string, unknown> & {
  sources: { release: object }
  otherClusters: string[]
} {
  const [, text = ""] = /^```yaml\n# headrace\.yaml\n([\s\S]*?)^```$/m.exec(pageText(PAGE)) ?? []
  return load(text) as ReturnType<typeof settingsOfPage>
}

/** A server's kubeconfig with its context under this name, as Prow has it: contexts name the clusters. */
export async function kubeconfigNamed(server: Cluster, name: string, isCurrent: boolean): Promise<string> {
  const text = await readFile(server.kubeconfigFile, "utf8")
  const config = load(text) as { contexts: object[] }
  const contexts = config.contexts.map((context) => ({ ...context, name }))
  return dump({ ...config, contexts, "current-context": isCurrent ? name : "" })
}

interface Held {
  data?: Record<string, string>
  binaryData?: Record<string, string>
}

async function read(server: ApiServer, name: string): Promise<Held> {
  return (await rawRequest(server, "GET", `/api/v1/namespaces/ci/configmaps/${name}`)).body as Held
}

/** True when an object holds these keys with this content, packed by any program, and no others but VERSION. */
function isHeld(keys: Record<string, Buffer>, held: Held | undefined): boolean {
  const { VERSION: _, ...data } = held?.data ?? {}
  const bytes = new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)]))
  for (const [key, base64] of Object.entries(held?.binaryData ?? {}))
    bytes.set(key, Buffer.from(base64, "base64"))
  const same = Object.entries(keys).every(([key, wanted]) => {
    const there = bytes.get(key)
    return there !== undefined && unpacked(there).equals(unpacked(wanted))
  })
  return same && bytes.size === Object.keys(keys).length
}

function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
}
