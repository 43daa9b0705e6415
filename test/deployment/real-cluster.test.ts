import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "@headrace/config/local/free-port"
import { dump, load } from "js-yaml"
import { describe, expect, it } from "vitest"
import { rawRequest } from "../contract/raw-request.ts"
import { type RealKube, realKubeMissing, withRealKube } from "../harness/real-kube.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { buildManifests, kubectlMissing, type Manifest } from "./build-manifests.ts"
import { forOldServer } from "./for-old-server.ts"
import { applyManifests, programSecret } from "./kubectl.ts"
import type { Volume } from "./pod-volumes.ts"
import { schemaMistakes } from "./published-kinds.ts"
import { pushTo } from "./push-to.ts"
import { rightsGranted, rightsUsed } from "./rights.ts"
import { type LocalPod, localPodsMissing, type PodSpec, preparePod, type Running } from "./run-pod.ts"

const FOLDERS = [
  "base",
  "home",
  "overlays/example",
  "overlays/example-remote",
  "samples/sidecar",
  "samples/init-container",
]
const NAMESPACES = ["headrace", "headrace-store", "ci", "ocp"]
const missing = realKubeMissing()
const noKubectl = kubectlMissing()
const noPods = missing ?? localPodsMissing()

describe("the manifests on a real API server", { timeout: 600_000 }, () => {
  it.skipIf(missing)(`are accepted, dry and in earnest${whySkipped(missing)}`, async () => {
    await withRealKube(async (kube) => {
      await createNamespaces(kube)
      const changes = new Set<string>()
      for (const folder of FOLDERS) {
        const { manifests, changed } = await convertedManifests(kube, folder)
        for (const change of changed) changes.add(change)
        await applyManifests(kube.kubeconfigFile, manifests, ["--dry-run=server"])
        await applyManifests(kube.kubeconfigFile, manifests)
      }
      // Both samples beside each other: what one applied, the other left as it is.
      const again = await Promise.all(FOLDERS.slice(4).map((folder) => convertedManifests(kube, folder)))
      await applyManifests(
        kube.kubeconfigFile,
        again.flatMap(({ manifests }) => manifests),
      )
      // What a server of 1.20 takes only after a change; each was held against its published schema.
      const minor = await minorVersion(kube)
      if (minor < 21) expect([...changes].sort()).toEqual(CHANGED_FOR_1_20)
      await expectMissedSelectorRefused(kube)
    })
  })

  it.skipIf(noKubectl)(
    `fit the published schemas where no server at hand knows them${whySkipped(noKubectl)}`,
    async () => {
      const policy = (await buildManifests("components/own-lease"))[0] as Manifest
      expect(schemaMistakes(policy)).toEqual([])
      const misspelt: Manifest = { ...policy, spec: { ...(policy.spec as object), validation: [] } }
      expect(schemaMistakes(misspelt)).toEqual(["ValidatingAdmissionPolicy.spec.validation: unknown field"])
    },
  )
})

/** A selector that misses its template is refused, so that a pass above means something. */
async function expectMissedSelectorRefused(kube: RealKube): Promise<void> {
  const { manifests } = await convertedManifests(kube, "home")
  const deployment = structuredClone(manifests.find(({ kind }) => kind === "Deployment")) as Manifest
  Object.assign(deployment.spec as object, { template: { spec: podOf([deployment], "Deployment").spec } })
  const applied = applyManifests(kube.kubeconfigFile, [deployment], ["--dry-run=server"])
  await expect(applied).rejects.toThrow(/selector/)
}

const CHANGED_FOR_1_20 = [
  "batch/v1/CronJob as batch/v1beta1",
  "policy/v1/PodDisruptionBudget as policy/v1beta1",
  "with-sidecar: native sidecar as a container",
]

describe("the programs with the accounts, users and volumes of their manifests", {
  timeout: 1_200_000,
}, () => {
  it.skipIf(noPods)(`use each right that they have, and need no other${whySkipped(noPods)}`, async () => {
    await withScene(async (scene) => {
      const { repo, granted, rewindTo } = scene
      const first = await repo.commit({
        "rules.yaml": RULES,
        "jobs/a.yaml": "a: 1\n",
        "templates/t.yaml": "t: 1\n",
      })
      const pods = await startPods(scene)
      await pods.shows("a: 1\n")
      await pods.showsFromGit("jobs/a.yaml", "a: 1\n")
      expect(await pods.reports()).toBeGreaterThan(0)

      const second = await repo.commit({ "jobs/a.yaml": "a: 2\n", "templates/t.yaml": "t: 2\n" })
      expect(await pods.push(second)).toBe(202)
      await pods.shows("a: 2\n")

      await rewindTo(pods, first)
      expect(await pods.job()).toBe(0)
      await pods.shows("a: 1\n")
      expect(await pods.command("release")).toBe(0)
      expect(await pods.job()).toBe(0)
      await pods.shows("a: 2\n")

      await leaveGarbage(scene.kube)
      expect(await pods.job()).toBe(0)
      await ageGarbage(scene.kube)
      expect(await pods.job()).toBe(0)
      expect(await storeObject(scene.kube)).toBeUndefined()

      await pods.restart()
      const third = await repo.commit({ "jobs/a.yaml": "a: 3\n" })
      expect(await pods.push(third)).toBe(202)
      await pods.shows("a: 3\n")
      expect(await pods.initContainer()).toBe(0)
      await pods.sidecar("a: 3\n", async () => {
        expect(await pods.push(await repo.commit({ "jobs/a.yaml": "a: 4\n" }))).toBe(202)
        return "a: 4\n"
      })
      expect(await pods.command("status", "--answer-limit", "60s")).toBe(0)
      expect(await pods.command("diff")).toBe(0)
      await pods.end()
      const reasons = await eventsOfRecord(scene.kube)
      expect(reasons).toEqual(expect.arrayContaining(["Held", "Published", "Released", "Rewound"]))

      for (const account of ACCOUNTS) {
        const { used, refused } = await rightsUsed(scene.kube.auditFile, account)
        const given = rightsGranted(granted, account)
        expect([...refused], `refused to ${account}`).toEqual([])
        expect(
          [...used].filter((right) => !given.has(right)),
          `used beyond Roles by ${account}`,
        ).toEqual([])
        expect(
          [...given].filter((right) => !used.has(right)),
          `in vain for ${account}`,
        ).toEqual([])
      }
      await expectNoRightToSettings(scene.kube)
    })
  })
})

const ACCOUNTS = [
  "headrace/headrace-writer",
  "headrace/headrace-agent",
  "ci/config-sidecar",
  "ci/config-init",
]

const RULES = `config_updater:
  maps:
    jobs/*.yaml: { name: job-config-master, clusters: { app.ci: [ci], build01: [ci] } }
    templates/*.yaml: { name: templates, clusters: { app.ci: [ocp] } }
    steps/*.yaml: { name: step-registry, clusters: { app.ci: [ci] } }
`

interface Scene {
  kube: RealKube
  repo: TestRepo
  folder: string
  granted: Manifest[]
  secret: string
  signal: AbortSignal
  rewindTo(pods: Pods, commit: string): Promise<void>
}

async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder((folder) =>
    withRedis((redis) =>
      withRepo((repo) =>
        withGitServer(repo.folder, (git) =>
          withKube((build01) =>
            withRealKube(
              async (kube) => {
                git.token = randomBytes(8).toString("hex")
                const secret = randomBytes(8).toString("hex")
                await createNamespaces(kube)
                const applied = await Promise.all(
                  ["overlays/example", "samples/sidecar", "samples/init-container"].map((of) =>
                    convertedManifests(kube, of),
                  ),
                )
                const manifests = applied
                  .flatMap((one) => one.manifests)
                  .map((one) => withLocalPlaces(one, git.url))
                await applyManifests(kube.kubeconfigFile, [
                  ...manifests,
                  programSecret("headrace-webhook", "hmac", secret),
                  programSecret("headrace-redis", "url", redis.url),
                  programSecret("headrace-git", "token", git.token),
                  programSecret("headrace-kubeconfigs", "build01", build01.kubeconfig),
                ])
                const stop = new AbortController()
                try {
                  await test({
                    kube,
                    repo,
                    folder,
                    secret,
                    signal: stop.signal,
                    granted: manifests,
                    async rewindTo(pods, commit) {
                      expect(await pods.command("rewind", "--to", commit, "--reason", "test")).toBe(0)
                    },
                  })
                } finally {
                  stop.abort()
                }
              },
              { audit: true },
            ),
          ),
        ),
      ),
    ),
  )
}

/** The settings as they are, but for the repository's address and ports of this machine. */
function withLocalPlaces(manifest: Manifest, url: string): Manifest {
  const { data } = manifest as { data?: Record<string, string> }
  if (manifest.kind !== "ConfigMap" || !data) return manifest
  const changed = Object.entries(data).map(([key, text]) => {
    const settings = load(text) as {
      sources?: { release: object }
      listen?: string
      projections?: Record<string, object>
    }
    if (settings.listen !== undefined) settings.listen = "127.0.0.1:0"
    if (settings.sources)
      Object.assign(settings.sources.release, { url, repo: "openshift/release", rules: "rules.yaml" })
    if (settings.projections && manifest.metadata.name === "headrace-agent-settings") {
      const git = { url, branch: "main", auth: { tokenFile: "/secrets/git/token" } }
      settings.projections["from-git"] = { path: "/var/lib/headrace/from-git", from: [{ git }] }
    }
    return [key, dump(settings)]
  })
  return { ...manifest, data: Object.fromEntries(changed) }
}

/** The Pods of the example and the samples, run on this machine. */
interface Pods {
  shows(text: string): Promise<void>
  /** The agent shows a file of the repository itself, through its own mirror. */
  showsFromGit(file: string, text: string): Promise<void>
  /** How many Leases the agents of the programs' namespace keep. */
  reports(): Promise<number>
  push(sha: string): Promise<number>
  /** The CronJob's job; its exit code. */
  job(): Promise<number | null>
  /** headrace-bootstrapper in the plugin's Pod, as with kubectl exec; its exit code. */
  command(...args: string[]): Promise<number | null>
  restart(): Promise<void>
  initContainer(): Promise<number | null>
  /** Runs until it shows the text, and then the one that a change gives. */
  sidecar(text: string, change: () => Promise<string>): Promise<void>
  end(): Promise<void>
}

async function startPods({ kube, folder, granted, secret, signal }: Scene): Promise<Pods> {
  const ports = { hook: await freePort(), ops: await freePort() }
  const argument = (text: string) =>
    text
      .replace("--listen=0.0.0.0:8888", `--listen=127.0.0.1:${ports.hook}`)
      .replace("--ops-listen=0.0.0.0:9473", `--ops-listen=127.0.0.1:${ports.ops}`)
  const prepare = (kind: string, name: string, namespace = "headrace") =>
    preparePod({
      kube,
      namespace,
      name,
      argument,
      signal,
      folder: join(folder, name),
      spec: podOf(granted, kind, name).spec,
    })
  const plugin = await prepare("Deployment", "headrace-plugin")
  const job = await prepare("CronJob", "headrace-bootstrapper")
  const agent = await prepare("DaemonSet", "headrace-agent")
  const isReady = () => answers(`http://127.0.0.1:${ports.ops}/readyz`)
  let running = await startBoth(plugin, agent, isReady)

  async function ended(run: Running): Promise<number | null> {
    const code = await run.ended
    if (code !== 0) throw new Error(`ended with ${code}:\n${run.output()}`)
    return code
  }
  const file = join(agent.volume("projections"), "job-config/a.yaml")
  return {
    shows: (text) => untilFile(file, text, running),
    showsFromGit: (path, text) =>
      untilFile(join(agent.volume("projections"), "from-git", path), text, running),
    async reports() {
      await until(async () => (await leases(kube)).length > 0)
      return (await leases(kube)).length
    },
    push: (sha) => pushTo(`http://127.0.0.1:${ports.hook}/hook`, secret, sha),
    job: () => ended(job.start("bootstrapper")),
    command: (command, ...args) =>
      ended(
        plugin.start("plugin", {
          program: "bootstrapper",
          args: [
            command,
            "--config=/etc/headrace/headrace.yaml",
            "--source=release",
            "--cluster=app.ci",
            ...args,
          ],
        }),
      ),
    async restart() {
      for (const one of running) one.kill("SIGKILL")
      await Promise.all(running.map((one) => one.ended))
      running = await startBoth(plugin, agent, isReady)
    },
    async initContainer() {
      const pod = await prepare("Pod", "with-init-container", "ci")
      return ended(pod.start("headrace-agent"))
    },
    async sidecar(text, change) {
      const pod = await prepare("Pod", "with-sidecar", "ci")
      const run = pod.start("headrace-agent")
      const shown = join(pod.volume("config"), "job-config/a.yaml")
      await untilFile(shown, text, [run])
      await until(async () => (await leases(kube, "headrace-store")).length > 0)
      const [before] = await leases(kube, "headrace-store")
      await untilFile(shown, await change(), [run])
      await until(async () => (await leases(kube, "headrace-store"))[0] !== before)
      run.kill("SIGTERM")
      await ended(run)
    },
    async end() {
      for (const one of running) one.kill("SIGTERM")
      for (const one of running) await ended(one)
    },
  }
}

async function startBoth(
  plugin: LocalPod,
  agent: LocalPod,
  isReady: () => Promise<boolean>,
): Promise<Running[]> {
  const running = [plugin.start("plugin"), agent.start("agent")]
  const codes = running.map(async (one) => {
    throw new Error(`ended with ${await one.ended}:\n${one.output()}`)
  })
  const ready = until(isReady, 60_000)
  for (const one of [...codes, ready]) one.catch(() => undefined)
  await Promise.race([ready, ...codes])
  return running
}

async function untilFile(file: string, text: string, running: readonly Running[]): Promise<void> {
  const read = () => readFile(file, "utf8").catch(() => undefined)
  try {
    await until(async () => (await read()) === text, 60_000)
  } catch (cause) {
    throw new Error(`${file} does not show ${text}:\n${running.map((one) => one.output()).join("\n")}`, {
      cause,
    })
  }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ status }) => status === 200,
    () => false,
  )
}

/** The version of each Lease of a namespace. */
async function leases(kube: RealKube, namespace = "headrace"): Promise<string[]> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
  const { body } = await rawRequest(kube, "GET", path)
  const items = body.items as { metadata: { resourceVersion: string } }[]
  return items.map(({ metadata }) => metadata.resourceVersion)
}

/** The reasons of the Events about the record. */
async function eventsOfRecord(kube: RealKube): Promise<string[]> {
  const record = await rawRequest(kube, "GET", "/api/v1/namespaces/headrace-store/configmaps/release")
  const { uid } = record.body.metadata as { uid: string }
  const query = `fieldSelector=${encodeURIComponent(`involvedObject.uid=${uid}`)}`
  const { body } = await rawRequest(kube, "GET", `/api/v1/namespaces/headrace-store/events?${query}`)
  return (body.items as { reason: string }[]).map(({ reason }) => reason)
}

const GARBAGE = "/api/v1/namespaces/headrace-store/configmaps/headrace-shard-garbage"

/** A shard that no record names, as a writer that died leaves one. */
async function leaveGarbage(kube: RealKube): Promise<void> {
  const labels = { "app.kubernetes.io/name": "headrace", "app.kubernetes.io/component": "shard" }
  const metadata = { name: "headrace-shard-garbage", labels }
  const { status } = await rawRequest(kube, "POST", "/api/v1/namespaces/headrace-store/configmaps", {
    metadata,
  })
  expect(status).toBe(201)
}

/** It was marked by the full reconcile before this; the mark becomes older than the grace time. */
async function ageGarbage(kube: RealKube): Promise<void> {
  const found = (await storeObject(kube)) as unknown as Manifest
  expect(found.metadata.annotations?.["headrace.dev/unused-since"]).toBeDefined()
  const old = { metadata: { annotations: { "headrace.dev/unused-since": "2020-01-01T00:00:00Z" } } }
  const headers = { "content-type": "application/merge-patch+json" }
  expect((await rawRequest(kube, "PATCH", GARBAGE, old, headers)).status).toBe(200)
}

async function storeObject(kube: RealKube): Promise<Record<string, unknown> | undefined> {
  const { status, body } = await rawRequest(kube, "GET", GARBAGE)
  return status === 404 ? undefined : body
}

/** The accounts of the writer and of agents cannot change any settings or Secret, nor another's Lease in the store. */
async function expectNoRightToSettings(kube: RealKube): Promise<void> {
  for (const account of ACCOUNTS) {
    const user = `system:serviceaccount:${account.replace("/", ":")}`
    for (const resource of ["configmaps", "secrets"]) {
      for (const verb of ["get", "create", "update", "patch", "delete"]) {
        const spec = { user, resourceAttributes: { namespace: "headrace", resource, verb } }
        const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec }
        const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        const { body } = await rawRequest(kube, "POST", path, review)
        expect((body.status as { allowed: boolean }).allowed, `${account} ${verb} ${resource}`).toBe(false)
      }
    }
  }
}

/** The Pod that an object makes. */
function podOf(
  manifests: readonly Manifest[],
  kind: string,
  name?: string,
): { spec: PodSpec & { volumes: Volume[] } } {
  const found = manifests.find(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  )
  if (!found) throw new Error(`no ${kind} ${name}`)
  if (kind === "Pod") return found as unknown as { spec: PodSpec }
  const { spec } = found as unknown as {
    spec: { template: { spec: PodSpec }; jobTemplate: { spec: { template: { spec: PodSpec } } } }
  }
  return kind === "CronJob" ? spec.jobTemplate.spec.template : spec.template
}

async function createNamespaces(kube: RealKube): Promise<void> {
  const body = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })
  for (const name of NAMESPACES) await rawRequest(kube, "POST", "/api/v1/namespaces", body(name))
}

async function minorVersion(kube: RealKube): Promise<number> {
  const { body } = await rawRequest(kube, "GET", "/version")
  return Number.parseInt(String(body.minor), 10)
}

async function convertedManifests(
  kube: RealKube,
  folder: string,
): Promise<{ manifests: Manifest[]; changed: string[] }> {
  const minor = await minorVersion(kube)
  const converted = (await buildManifests(folder)).map((one) => forOldServer(one, minor))
  return {
    manifests: converted.flatMap(({ manifest }) => manifest ?? []),
    changed: converted.flatMap(({ change }) => change ?? []),
  }
}
