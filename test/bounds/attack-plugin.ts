import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { freePort } from "@headrace/config/local/free-port"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { type Confinement, runConfined } from "./confined-program.ts"
import { startHostileKube } from "./hostile-kube.ts"
import { startPatience } from "./patience.ts"
import { GITHUB_REPO, RULES, STEPS, WEBHOOK_SECRET } from "./plugin-steps.ts"
import { shippedLimit } from "./shipped-limit.ts"

const NAMESPACE = "headrace"

/**
 * A plugin under its shipped memory limit, and all that one cluster, sender, Redis or merge can send it. After each the
 * other cluster's lane brings a commit, both ports answer, and a metric names who did it.
 */
export async function attackPlugin(): Promise<Confinement & { named: readonly string[] }> {
  return withKube((kube) =>
    withRedis((redis) =>
      withRepo(async (repo) => {
        const west = await startHostileKube()
        const [hook, ops] = [await freePort(), await freePort()]
        const config = await writeSettings(repo, {
          east: kube.kubeconfigFile,
          west: west.kubeconfig,
          redis: redis.url,
          github: west.url,
        })
        await repo.commit({ "rules.yaml": RULES, "config/a.yaml": "start\n" })
        const listens = ["--listen", `127.0.0.1:${hook}`, "--ops-listen", `127.0.0.1:${ops}`]
        const limits = { limit: shippedLimit("plugin/deployment.yaml"), started: "plugin started" }
        const named: string[] = []
        try {
          const measured = await runConfined(
            "plugin",
            ["--config", config, ...listens],
            limits,
            async ({ isAlive }) => {
              const patience = startPatience("plugin", isAlive)
              for (const { what, attack, named: pattern, comesBack } of STEPS) {
                const end = await attack({ repo, redis: redis.url, hook })
                await patience.until(`${what}: named`, async () => {
                  const line = pattern.exec(await metricsOf(ops))?.[0]
                  if (line !== undefined) named.push(`${what}: ${line}`)
                  return line !== undefined
                })
                if (comesBack) {
                  await patience.until(`${what}: ready again`, async () => {
                    const answer = await fetch(`http://127.0.0.1:${ops}/readyz`)
                    return (await answer.text()) !== "" && answer.status === 200
                  })
                }
                await expectAnswers(hook, ops)
                await end()
                // What stops the source itself was taken back by `end`: the lane goes on from there.
                await repo.commit({ "config/a.yaml": `${what}\n` })
                await patience.until(`${what}: the lane of the other cluster goes on`, () =>
                  shows(kube, `${what}\n`),
                )
              }
              named.push(`the record: ${await failedReason(kube)}`)
            },
          )
          return { ...measured, named }
        } finally {
          west.close()
        }
      }),
    ),
  )
}

async function writeSettings(
  repo: TestRepo,
  { east, west, redis, github }: { east: string; west: string; redis: string; github: string },
): Promise<string> {
  const path = (name: string) => join(repo.scratch, name)
  await writeFile(path("west"), west)
  await writeFile(path("hmac"), WEBHOOK_SECRET)
  await writeFile(path("token"), "token")
  const settings = {
    version: 1,
    sources: {
      release: { url: repo.folder, repo: GITHUB_REPO, branch: repo.branch, rules: "rules.yaml", poll: "1s" },
    },
    clusters: {
      east: { kubeconfig: east, namespaces: ["ci"] },
      west: { kubeconfig: path("west"), namespaces: ["ci"] },
    },
    webhook: { secretFiles: [path("hmac")] },
    redis: { url: redis },
    github: { apiUrl: github, tokenFile: path("token") },
    guard: "off",
    mirrors: path("mirrors"),
  }
  await writeFile(path("headrace.yaml"), JSON.stringify(settings))
  return path("headrace.yaml")
}

async function metricsOf(ops: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${ops}/metrics`)).text()
}

/** Both probes answer as ever, and a delivery is judged: one without a signature is refused. */
async function expectAnswers(hook: number, ops: number): Promise<void> {
  for (const [url, wanted, method] of [
    [`http://127.0.0.1:${ops}/healthz`, 200, "GET"],
    [`http://127.0.0.1:${ops}/readyz`, 200, "GET"],
    [`http://127.0.0.1:${hook}/hook`, 415, "POST"],
  ] as const) {
    const answer = await fetch(url, { method })
    await answer.text()
    if (answer.status !== wanted) throw new Error(`plugin: ${url} answers ${answer.status}, not ${wanted}`)
  }
}

async function shows(kube: TestKube, content: string): Promise<boolean> {
  const found = await inProcessClient(kube.store).get("ci", "config")
  return found?.data?.["a.yaml"] === content
}

async function failedReason(kube: TestKube): Promise<string> {
  const found = await inProcessClient(kube.store).get(NAMESPACE, "release")
  const [failed] = found === undefined ? [] : readRecord(found).failed
  return `${failed?.target}: ${failed?.reason}`
}
