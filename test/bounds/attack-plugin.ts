import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { freePort } from "@headrace/config/local/free-port"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { until } from "../harness/until.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { withRepo } from "../harness/with-repo.ts"
import { type Confinement, runConfined } from "./confined-program.ts"
import { startHostileKube } from "./hostile-kube.ts"
import { shippedLimit } from "./shipped-limit.ts"

const SOCKETS = 2400
const NAMESPACE = "headrace"
const PATIENCE_MS = 240_000

const RULES = `config_updater:
  maps:
    config/*.yaml: {name: config, clusters: {east: [ci], west: [ci]}}
    large/*: {name: large, view: false, clusters: {east: [ci]}}
`

/** Rules that name 7.5 million ConfigMaps. */
function rulesOfMillions(): string {
  const list = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(",")
  const rules = Array.from({ length: 300 }, (_, index) => {
    const places = index === 0 ? `&all {east: [${list("n", 100)}]}` : "*all"
    return `    d${index}/*: {partitioned_names: [${list("p", 250)}], clusters: ${places}}`
  })
  return `config_updater:\n  maps:\n${rules.join("\n")}\n`
}

/**
 * A plugin under its shipped memory limit: a cluster whose answers do not end, 2,400 idle sockets from one host, rules that
 * name 7.5 million ConfigMaps, and a file of 95 MB. The other cluster's lane and both ports must go on.
 */
export async function attackPlugin(): Promise<Confinement & { notes: readonly string[] }> {
  return withKube((kube) =>
    withRedis((redis) =>
      withRepo(async (repo) => {
        const west = await startHostileKube()
        const sockets: Socket[] = []
        const notes: string[] = []
        try {
          const path = (name: string) => join(repo.scratch, name)
          await writeFile(path("west"), west.kubeconfig)
          await writeFile(path("hmac"), "secret")
          const settings = {
            version: 1,
            sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml", poll: "1s" } },
            clusters: { east: { kubeconfig: kube.kubeconfigFile }, west: { kubeconfig: path("west") } },
            webhook: { secretFiles: [path("hmac")] },
            redis: { url: redis.url },
            guard: "off",
            mirrors: path("mirrors"),
          }
          await writeFile(path("headrace.yaml"), JSON.stringify(settings))
          await repo.commit({ "rules.yaml": RULES, "config/a.yaml": "one\n" })
          const hook = await freePort()
          const ops = `http://127.0.0.1:${await freePort()}`
          const args = ["--config", path("headrace.yaml"), "--listen", `127.0.0.1:${hook}`]
          const limits = { limit: shippedLimit("plugin/deployment.yaml"), started: "plugin started" }
          const measured = await runConfined(
            "plugin",
            [...args, "--ops-listen", ops.replace("http://", "")],
            limits,
            async ({ isAlive }) => {
              const metrics = () => fetch(`${ops}/metrics`).then((answer) => answer.text())
              async function expectMetric(part: RegExp): Promise<void> {
                await until(async () => !isAlive() || part.test(await metrics()), PATIENCE_MS)
                if (!isAlive()) throw new Error("the plugin was ended by the kernel")
                const line = (await metrics()).split("\n").find((each) => part.test(each))
                notes.push(line ?? "")
              }
              await until(
                async () => !isAlive() || (await shows(kube, "config/a.yaml", "one\n")),
                PATIENCE_MS,
              )
              await expectMetric(/headrace_bound_breaches_total\{bound="answer",culprit="cluster west"\}/)
              for (let count = 0; count < SOCKETS; count++) {
                const socket = connect(hook, "127.0.0.1")
                socket.on("error", () => undefined)
                await once(socket, "connect")
                sockets.push(socket)
              }
              await expectMetric(
                /headrace_bound_breaches_total\{bound="connectionsPerAddress",culprit="port"\}/,
              )
              for (const url of [`${ops}/healthz`, `${ops}/readyz`])
                notes.push(`${url}: ${await statusOf(url)}`)
              notes.push(
                `a delivery without a signature: ${await statusOf(`http://127.0.0.1:${hook}/hook`, "POST")}`,
              )
              await repo.commit({ "rules.yaml": rulesOfMillions() })
              await expectMetric(/headrace_stopped\{[^}]*code="rules\/too-many-targets"/)
              await repo.commit({
                "rules.yaml": RULES,
                "config/a.yaml": "two\n",
                "large/zeros": Buffer.alloc(95_000_000),
              })
              await until(
                async () => !isAlive() || (await shows(kube, "config/a.yaml", "two\n")),
                PATIENCE_MS,
              )
              await expectMetric(/headrace_bound_breaches_total\{bound="file",culprit="source release"\}/)
              notes.push(await failedReason(kube))
              notes.push(`${ops}/healthz: ${await statusOf(`${ops}/healthz`)}`)
            },
          )
          return { ...measured, notes }
        } finally {
          for (const socket of sockets) socket.destroy()
          west.close()
        }
      }),
    ),
  )
}

async function statusOf(url: string, method = "GET"): Promise<number> {
  const answer = await fetch(url, { method })
  await answer.text()
  return answer.status
}

async function shows(kube: TestKube, path: string, content: string): Promise<boolean> {
  const found = await inProcessClient(kube.store).get("ci", "config")
  return found?.data?.[path.split("/").at(-1) ?? ""] === content
}

async function failedReason(kube: TestKube): Promise<string> {
  const found = await inProcessClient(kube.store).get(NAMESPACE, "release")
  const [failed] = found === undefined ? [] : readRecord(found).failed
  return `${failed?.target}: ${failed?.reason}`
}
