import { type IncomingMessage, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { z } from "zod"
import { errorMessage } from "../../foundation/errors.ts"
import { escapeText } from "../../foundation/escape-text.ts"
import { parseJsonAs } from "../../foundation/parse-json.ts"
import { startTimeLimit } from "../../foundation/time-limit.ts"
import { untilAborted } from "../../foundation/until-aborted.ts"
import type { CheckAnswer, PolicyCheck } from "../../rollout/policy-checks.ts"

/** A check keeps the look of a lane waiting no longer than this. */
const ANSWER_MS = 5000
const MOST_BYTES = 1024 * 1024
const MOST_REDIRECTS = 3
const WHY_LENGTH = 200

/** `value` is text, such as "1.5", "NaN" or "+Inf" (prometheus.io/docs/prometheus/latest/querying/api, "Expression query result formats"). */
const Sample = z.tuple([z.number(), z.string()]).transform(([, text]) => sampleValue(text))

const Answer = z.discriminatedUnion("status", [
  z.object({ status: z.literal("error"), error: z.string() }),
  z.object({
    status: z.literal("success"),
    data: z.discriminatedUnion("resultType", [
      z.object({ resultType: z.literal("scalar"), result: Sample.transform((value) => [value]) }),
      z.object({
        resultType: z.literal("vector"),
        result: z.array(z.object({ value: Sample }).transform(({ value }) => value)),
      }),
    ]),
  }),
])

/**
 * Asks one check of a rollout's policy, once, without any proxy. Everything but a good answer in time fails. Rejects only
 * with the signal's reason.
 */
export async function askCheck(
  check: PolicyCheck,
  signal: AbortSignal,
  milliseconds = ANSWER_MS,
): Promise<CheckAnswer> {
  const late = () => new Error(`no answer within ${milliseconds} ms`)
  const limit = startTimeLimit(milliseconds, late, signal)
  try {
    const work = check.kind === "http" ? whyNot2xx(check.url, limit.signal) : whyAbove(check, limit.signal)
    // An answer that switches protocols ends neither the request nor its promise.
    const why = await untilAborted(work, limit.signal)
    return why === undefined ? { passes: true } : failed(why)
  } catch (error) {
    signal.throwIfAborted()
    // What node:http rejects with does not name the limit.
    return failed(errorMessage(limit.signal.aborted ? limit.signal.reason : error))
  } finally {
    limit.end()
  }
}

function failed(why: string): CheckAnswer {
  return { passes: false, why: escapeText(why).slice(0, WHY_LENGTH) }
}

async function whyNot2xx(first: string, signal: AbortSignal): Promise<string | undefined> {
  let url = new URL(first)
  for (let redirects = 0; ; redirects += 1) {
    const response = await get(url, signal)
    // Only the status counts; the rest of the answer is not waited for.
    response.destroy()
    const { statusCode = 0, headers } = response
    if (statusCode >= 200 && statusCode < 300) return undefined
    if (statusCode < 300 || statusCode >= 400 || headers.location === undefined)
      return `answered ${statusCode}`
    const next = new URL(headers.location, url)
    if (next.origin !== url.origin) return `answered ${statusCode}, and leads to ${next.origin}`
    if (redirects >= MOST_REDIRECTS) return `answered with more than ${MOST_REDIRECTS} redirects`
    url = next
  }
}

async function whyAbove(
  { url, query, max }: Extract<PolicyCheck, { kind: "prometheus" }>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const api = new URL(url)
  api.pathname = `${api.pathname.replace(/\/+$/, "")}/api/v1/query`
  api.searchParams.set("query", query)
  const response = await get(api, signal)
  const text = await bodyOf(response)
  const answer = parseJsonAs(Answer, text)
  if (answer === undefined) return `answered ${response.statusCode} without the result of an instant query`
  if (answer.status === "error") return answer.error
  const { result } = answer.data
  if (result.length === 0) return "the answer is empty"
  // NaN compares as false: it fails.
  const above = result.find((value) => !(value <= max))
  return above === undefined ? undefined : `${above} is not at most ${max}`
}

function sampleValue(text: string): number {
  const infinite = { "+Inf": Number.POSITIVE_INFINITY, "-Inf": Number.NEGATIVE_INFINITY }[text]
  return infinite ?? (text.trim() === "" ? Number.NaN : Number(text))
}

/** A connection of its own, since an idle one to a service that moved would be asked again. */
function get(url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const headers = { "user-agent": "headrace", accept: "*/*" }
    const call = request(url, { method: "GET", signal, agent: false, headers }, (response) => {
      response.on("error", () => undefined)
      resolve(response)
    })
    call.on("error", reject)
    call.end()
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    const buffer = Buffer.from(chunk)
    bytes += buffer.length
    if (bytes > MOST_BYTES) throw new Error(`the answer is longer than ${MOST_BYTES} bytes`)
    chunks.push(buffer)
  }
  return Buffer.concat(chunks).toString("utf8")
}
