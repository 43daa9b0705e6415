import type { IncomingMessage } from "node:http"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import { noteBreach } from "@headrace/shared/observe/bound-breaches"
import type { Log } from "@headrace/shared/observe/log"
import { ZodError } from "zod"
import type { Answer } from "./answer.ts"
import { type BranchChange, readBranchChange } from "./branch-change.ts"
import { type BodyRoom, readBody } from "./read-body.ts"
import { type RepositoryNotice, repositoryNotice } from "./repository-notice.ts"
import type { WebhookSecrets } from "./webhook-secrets.ts"

/** What the webhook needs from the rest of the plugin. */
export interface DeliveryPorts {
  secrets: WebhookSecrets
  /** Takes a verified change; must be done, or fail, within five seconds. */
  accept(delivery: Delivery): Promise<Answer>
  room: BodyRoom
  /** Bytes of one body; absent: what GitHub sends at most. */
  mostBytes?: number
  /** True for the ORG/NAME of a source. */
  isConfigured(repo: string): boolean
  log: Log
}

/** A verified delivery that moved a branch. */
export interface Delivery extends BranchChange {
  /** x-github-delivery: the same again when GitHub delivers the event again. */
  guid: string
  event: string
}

/** The event's name is known once the signature was right; before that it is anybody's word. */
export interface ReceivedDelivery {
  event: string
  answer: Answer
}

const GUID = /^[0-9A-Za-z-]{1,64}$/
const EVENT = /^[a-z_]{1,64}$/
const UNVERIFIED = "unverified"

/** Reads, verifies and takes one delivery. Never throws: whatever happens is an answer. */
export async function receiveDelivery(
  request: IncomingMessage,
  ports: DeliveryPorts,
): Promise<ReceivedDelivery> {
  // A request that is given up in the middle of its body has no socket any more.
  const { remoteAddress } = request.socket
  try {
    const headers = readHeaders(request)
    const payload = await readPayload(request, ports)
    if (!(await ports.secrets.verify(payload, headers.signature))) {
      return refused(UNVERIFIED, 401, "the signature matches none of the webhook's secrets")
    }
    return { event: headers.event, answer: await takeEvent(headers, payload, ports) }
  } catch (error) {
    if (error instanceof Refusal) return refused(UNVERIFIED, error.status, error.message)
    reportBreach(error, remoteAddress, ports.log)
    if (hasCode(error, "webhook/body-too-large")) return refused(UNVERIFIED, 413, error.message)
    if (hasCode(error, "webhook/no-room"))
      return refused(UNVERIFIED, 503, `${error.message}: send it again later`)
    if (error instanceof ZodError)
      return refused(UNVERIFIED, 400, "the body is not the event that its header names")
    // No error of ours: any client that knows the address can disconnect in the middle.
    ports.log.info({ err: errorText(error) }, "delivery could not be read")
    return refused(UNVERIFIED, 400, "the request could not be read")
  }
}

/** Names the sender of a body that there is no room for: it is known by its address alone. */
function reportBreach(error: unknown, address: string | undefined, log: Log): void {
  const isTooLarge = hasCode(error, "webhook/body-too-large")
  if (!isTooLarge && !hasCode(error, "webhook/no-room")) return
  noteBreach(isTooLarge ? "body" : "bodies", "port")
  log.warn({ err: errorText(error), address }, "delivery refused")
}

async function takeEvent(headers: DeliveryHeaders, body: string, ports: DeliveryPorts): Promise<Answer> {
  const { event, guid } = headers
  if (event === "ping") return { status: 200, result: "ping", message: "pong" }
  const payload = parseJson(body)
  const notice = repositoryNotice(event, payload)
  if (notice !== undefined) return notifyOperator(guid, notice, ports)
  const change = readBranchChange(event, payload)
  if ("why" in change) return { status: 200, result: "ignored", message: change.why }
  return ports.accept({ ...change, guid, event })
}

function notifyOperator(guid: string, { repo, text }: RepositoryNotice, ports: DeliveryPorts): Answer {
  if (!ports.isConfigured(repo)) {
    return { status: 200, result: "unconfigured", message: `${repo} is no source of this Headrace` }
  }
  ports.log.warn({ guid, notice: text }, "a repository has changed its name or branch")
  return { status: 200, result: "ignored", message: text }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Refusal(400, "the body is not JSON")
  }
}

interface DeliveryHeaders {
  event: string
  guid: string
  signature: string
}

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function readHeaders(request: IncomingMessage): DeliveryHeaders {
  if (request.method !== "POST") throw new Refusal(405, "webhooks are sent by POST")
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase()
  if (type !== "application/json") {
    throw new Refusal(
      415,
      `this webhook sends ${type || "no content type"}: set its "Content type" to application/json on GitHub (Settings, Webhooks)`,
    )
  }
  return {
    event: readHeader(request, "x-github-event", EVENT),
    guid: readHeader(request, "x-github-delivery", GUID),
    signature: readHeader(request, "x-hub-signature-256", /^sha256=[0-9a-f]{64}$/),
  }
}

function readHeader(request: IncomingMessage, name: string, shape: RegExp): string {
  const value = request.headers[name]
  if (typeof value === "string" && shape.test(value)) return value
  const secretHint = name === "x-hub-signature-256" ? ": set a secret for the webhook on GitHub" : ""
  throw new Refusal(400, `the header ${name} is missing or malformed${secretHint}`)
}

/** The bytes as text without any change, so that the signature over it is the signature over the bytes. */
async function readPayload(
  request: IncomingMessage,
  { room, mostBytes }: Pick<DeliveryPorts, "room" | "mostBytes">,
): Promise<string> {
  const body = await readBody(request, room, mostBytes)
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw new Refusal(400, "the body is not UTF-8")
  }
}

function refused(event: string, status: number, message: string): ReceivedDelivery {
  return { event, answer: { status, result: "refused", message } }
}
