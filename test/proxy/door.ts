import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { text } from "node:stream/consumers"
import { ApiFailure } from "@headrace/config/local/embedded-kube/api-failure"
import type { KubeObject } from "@headrace/config/local/embedded-kube/kube-object"
import { type Call, callReader, isWrite } from "./call.ts"
import { passWatch, type WatchedEvent } from "./pass-watch.ts"
import type { Answer, PastStates } from "./past-states.ts"
import type { EventPerturbation, Perturbation } from "./perturbation.ts"
import type { ForwardedRequest, Upstream } from "./upstream.ts"

/** The way of one of our processes to the API server. */
export interface Door {
  /** Every call about ConfigMaps that came, in order. */
  calls: Call[]
  /** How many other answers each read could have had earlier; with `countsEarlier` alone. */
  earlier: Map<Call, number>
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Ends the process as SIGKILL does: nothing of it passes any more. What has left may still take effect. */
  shut(): void
  /** Resolves when every request that has left has taken effect. */
  settled(): Promise<void>
}

export interface DoorOptions {
  perturb?(call: Call): Perturbation | undefined
  perturbEvent?(event: WatchedEvent): EventPerturbation | undefined
  /** Called with every write of this process that took effect, before its answer goes on. */
  onWrite?(write: SeenWrite): Promise<void>
  /** The process was killed. */
  onShut?(): void
  /** Fill `earlier`: it takes a while. */
  countsEarlier?: boolean
}

/** What a write replaced, and with what; undefined: nothing was there, or is. */
export interface SeenWrite {
  before: KubeObject | undefined
  after: KubeObject | undefined
}

/** What the doors of one proxy share. */
export interface DoorPorts {
  upstream: Upstream
  past: PastStates
  /** Path that the API's own paths follow. */
  root: string
  /** The name that processes know a namespace by. */
  ownName(namespace: string): string
  /** Called with everything that is done to a call or an event. */
  onPerturbed(what: string): void
}

const JSON_TYPE = { "content-type": "application/json" }
const GATEWAY_TIMEOUT: Answer = {
  status: 504,
  body: JSON.stringify(new ApiFailure(504, "Timeout", "the upstream did not answer").status),
}
const EXPIRED = new ApiFailure(410, "Expired", "too old resource version").status

export function createDoor(ports: DoorPorts, options: DoorOptions): Door {
  const { upstream, past, root } = ports
  const sockets = new Set<Socket>()
  const underWay = new Set<Promise<unknown>>()
  const readCall = callReader(ports.ownName)
  let isShut = false

  function shut(): void {
    if (isShut) return
    isShut = true
    for (const socket of sockets) socket.destroy()
    options.onShut?.()
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    sockets.add(request.socket)
    const { method = "GET", headers } = request
    const path = (request.url ?? "").slice(root.length)
    const forwarded = { method, path, headers, body: await text(request) }
    const call = readCall(method, path, forwarded.body, headers)
    if (isShut) return void request.socket.destroy()
    if (call === undefined) return send(response, await upstream.send(forwarded))
    const perturbation = options.perturb?.(call)
    note(call, perturbation)
    if (call.verb === "watch") return watch(forwarded, response, perturbation)
    const answering = perturbed(call, perturbation, () => carryOut(call, forwarded))
    underWay.add(answering)
    const answer = await answering.finally(() => underWay.delete(answering))
    if (answer === undefined || isShut) request.socket.destroy()
    else send(response, answer)
  }

  function note(call: Call, perturbation: Perturbation | undefined): void {
    calls.push(call)
    if (options.countsEarlier && !isWrite(call) && call.verb !== "watch") {
      earlier.set(call, [...past.earlier(call)].length)
    }
    if (perturbation) ports.onPerturbed(`${call.point}: ${perturbation.does}`)
  }

  /** Carries a call out, and notes what it changed. */
  async function carryOut(call: Call, request: ForwardedRequest): Promise<Answer> {
    const answer = await upstream.send(request)
    if (!isWrite(call) || answer.status >= 300) return answer
    const after = call.verb === "delete" ? undefined : (JSON.parse(answer.body) as KubeObject)
    const before = call.verb === "create" ? undefined : replacedBy(past, call, request)
    // A write that changes nothing makes no version.
    if (after && after.metadata.resourceVersion === before?.metadata.resourceVersion) return answer
    past.note(call.path.namespace, call.name, after)
    await options.onWrite?.({ before, after })
    return answer
  }

  /** The answer that the process gets; undefined: none, and its connection breaks. */
  async function perturbed(
    call: Call,
    perturbation: Perturbation | undefined,
    effect: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    switch (perturbation?.does) {
      case "stale":
        return past.ago(call, perturbation.ago) ?? effect()
      case "behind":
        return past.behind(call, perturbation.writes)
      case "lose request":
        return undefined
      case "lose answer":
        await effect()
        return undefined
      case "time out":
        await effect()
        return GATEWAY_TIMEOUT
      case "crash before":
        shut()
        return undefined
      case "crash after":
        await effect()
        shut()
        return undefined
      case "pause":
        await perturbation.until()
        return effect()
      case "arrive late":
        shut()
        await perturbation.until()
        return effect()
      default:
        return effect()
    }
  }

  async function watch(
    request: ForwardedRequest,
    response: ServerResponse,
    perturbation: Perturbation | undefined,
  ): Promise<void> {
    if (perturbation?.does === "lose request") return void response.destroy()
    if (perturbation?.does === "expire") {
      return void response
        .writeHead(200, JSON_TYPE)
        .end(`${JSON.stringify({ type: "ERROR", object: EXPIRED })}\n`)
    }
    await passWatch(await upstream.open(request), response, past, (event) => {
      const what = options.perturbEvent?.(event)
      if (what) ports.onPerturbed(`event ${event.object.metadata.resourceVersion}: ${what}`)
      return what
    })
  }

  const calls: Call[] = []
  const earlier = new Map<Call, number>()
  return {
    calls,
    earlier,
    serve,
    shut,
    async settled() {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },
  }
}

/** The version that a replace or delete named, which the API server has checked. */
function replacedBy(
  past: PastStates,
  { path, name }: Call,
  { body }: ForwardedRequest,
): KubeObject | undefined {
  const { metadata, preconditions } = JSON.parse(body) as {
    metadata?: { resourceVersion?: string }
    preconditions?: { resourceVersion?: string }
  }
  const version = (metadata ?? preconditions)?.resourceVersion
  return past.versionsOf(path.namespace, name).find((one) => one.metadata.resourceVersion === version)
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { ...JSON_TYPE, "content-length": Buffer.byteLength(body) }).end(body)
}
