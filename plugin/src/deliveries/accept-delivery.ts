import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { withTimeLimit } from "@headrace/shared/foundation/time-limit"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { wakeLanes } from "@headrace/shared/lanes/wake-lanes"
import type { Log } from "@headrace/shared/observe/log"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { Answer } from "../webhook/answer.ts"
import type { Delivery } from "../webhook/receive-delivery.ts"
import type { DeliveryBook } from "./keep-deliveries.ts"
import { sourcesOfChange } from "./sources-of-change.ts"

export interface AcceptPorts {
  settings: Pick<OperatorSettings, "sources" | "clusters">
  lanes: Lanes
  book: DeliveryBook
  log: Log
}

/** GitHub gives up after ten seconds, and sends nothing again by itself: a busy machine must not refuse early. */
const ACCEPT_LIMIT_MS = 4500

/**
 * Turns a verified change into wake-ups, one per cluster, and says what became of it. What Redis did not
 * take is answered 503, so that GitHub shows the delivery as failed and it can be sent again.
 */
export async function acceptDelivery(delivery: Delivery, ports: AcceptPorts): Promise<Answer> {
  const { configured, sources } = sourcesOfChange(ports.settings, delivery)
  if (!configured) {
    ports.log.warn({ repo: delivery.repo, guid: delivery.guid }, "delivery of a repository that is no source")
    return { status: 200, result: "unconfigured", message: `${delivery.repo} is no source of this Headrace` }
  }
  if (sources.length === 0) {
    return { status: 200, result: "ignored", message: `no source follows branch ${delivery.branch}` }
  }
  try {
    return await withTimeLimit(enqueue(delivery, sources, ports), ACCEPT_LIMIT_MS, tooSlow)
  } catch (error) {
    ports.log.error({ guid: delivery.guid, err: errorText(error) }, "delivery could not be enqueued")
    return {
      status: 503,
      result: "not-enqueued",
      message: `not enqueued, send it again later: ${errorText(error)}`,
    }
  }
}

async function enqueue(
  delivery: Delivery,
  sources: string[],
  { lanes, book, settings, log }: AcceptPorts,
): Promise<Answer> {
  const trouble = lanes.trouble()
  if (trouble) throw trouble
  const clusters = Object.keys(settings.clusters)
  // Noted before it is enqueued, so that the outcome finds it; a duplicate only when it was enqueued.
  if (!(await book.note(delivery, sources, clusters))) {
    return { status: 200, result: "duplicate", message: "this delivery was accepted before" }
  }
  await wakeLanes(lanes, clusters, sources, { mode: "incremental", reason: "webhook" })
  await book.markAccepted(delivery.guid)
  const { guid, event, repo, sha, pull } = delivery
  log.info({ guid, event, repo, sha, pull, sources }, "delivery accepted")
  return { status: 202, result: "accepted", message: `woke ${clusters.length} lanes`, sources }
}

function tooSlow(): HeadraceError {
  return new HeadraceError("lanes/redis-slow", "Redis did not answer in time")
}
