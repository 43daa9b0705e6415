import type { Route } from "@headrace/shared/observe/serve-http"
import { emitterEventNames } from "@octokit/webhooks"
import type { PluginMetrics } from "../observe/plugin-metrics.ts"
import { sendAnswer } from "./answer.ts"
import { type DeliveryPorts, receiveDelivery } from "./receive-delivery.ts"

export interface DeliveryRoutePorts extends DeliveryPorts {
  metrics: PluginMetrics
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set(["ping", "unverified", ...emitterEventNames])

/** The webhook's route: every request is answered and counted, by event and what became of it. */
export function deliveryRoute(ports: DeliveryRoutePorts): Route {
  return async (request, response) => {
    const start = performance.now()
    const { event, answer } = await receiveDelivery(request, ports)
    sendAnswer(response, answer)
    // A name of the sender's choosing must not make a time series of its own.
    const label = KNOWN_EVENTS.has(event) ? event : "other"
    ports.metrics.deliveries.inc({ event: label, result: answer.result })
    ports.metrics.answerSeconds.observe((performance.now() - start) / 1000)
  }
}
