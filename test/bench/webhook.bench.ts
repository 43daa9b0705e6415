import { Agent, request } from "node:http"
import { setTimeout as delay } from "node:timers/promises"
import { Webhooks } from "@octokit/webhooks"
import { commitId, FakeBranch } from "../harness/fake-reconciler.ts"
import { pushEvent, WEBHOOK_SECRET, withPlugin } from "../harness/with-plugin.ts"
import { withRedis } from "../harness/with-redis.ts"
import { quantile } from "./quantile.ts"

const PER_SECOND = 1000
const SECONDS = 5
const WARM_UP = 500
const TICK_MS = 5
/** GitHub's push payloads are about this large. */
const PADDING = "x".repeat(8000)

/**
 * Webhooks at 1,000 a second, each sent at its time whether earlier ones were answered or not, to one plugin
 * with a real Redis; sender and plugin share this process. Four lanes, reconciles of 20 ms.
 */
export async function run(): Promise<Record<string, number>> {
  return withRedis((redis) =>
    withPlugin(
      {
        redis: redis.url,
        reconciler: new FakeBranch(20),
        clusters: ["build01", "build02", "build03", "build04"],
      },
      async (plugin) => {
        const send = await sender(plugin.url)
        await Promise.all(Array.from({ length: WARM_UP }, () => send()))
        const start = performance.now()
        const answers = await sendSteadily(send)
        const seconds = (performance.now() - start) / 1000
        const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
        return {
          deliveries: answers.length,
          accepted: answers.filter(({ status }) => status === 202).length,
          answered_per_second: answers.length / seconds,
          p50_ms: quantile(times, 0.5),
          p99_ms: quantile(times, 0.99),
          max_ms: times.at(-1) ?? 0,
        }
      },
    ),
  )
}

interface Sent {
  status: number
  milliseconds: number
}

async function sendSteadily(send: () => Promise<Sent>): Promise<Sent[]> {
  const start = performance.now()
  const sent: Promise<Sent>[] = []
  while (sent.length < PER_SECOND * SECONDS) {
    const due = Math.min(PER_SECOND * SECONDS, ((performance.now() - start) / 1000) * PER_SECOND)
    while (sent.length < due) sent.push(send())
    await delay(TICK_MS)
  }
  return Promise.all(sent)
}

/** Sends deliveries that differ by their GUID alone, over kept connections. */
async function sender(url: string): Promise<() => Promise<Sent>> {
  const body = JSON.stringify({ ...(pushEvent(commitId(1)) as object), padding: PADDING })
  const signature = await new Webhooks({ secret: WEBHOOK_SECRET }).sign(body)
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  let number = 0
  return () =>
    new Promise((resolve, reject) => {
      const start = performance.now()
      const headers = {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-github-event": "push",
        "x-github-delivery": `bench-${++number}`,
        "x-hub-signature-256": signature,
      }
      const sent = request(`${url}/hook`, { method: "POST", agent, headers }, (response) => {
        response.resume()
        response.once("end", () => {
          resolve({ status: response.statusCode ?? 0, milliseconds: performance.now() - start })
        })
      })
      sent.once("error", reject)
      sent.end(body)
    })
}
