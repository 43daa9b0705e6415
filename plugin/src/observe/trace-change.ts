import { errorText } from "@headrace/shared/foundation/errors"
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import type { Log } from "@headrace/shared/observe/log"
import { rootSpanId, type SpanRecord, type Traces } from "@headrace/shared/observe/traces"

export interface TraceChangePorts {
  traces: Traces | undefined
  lanes: Lanes
  log: Log
}

/** Several events and polls of one change come within seconds; a day is more than any retry. */
const CLAIM_SECONDS = 86_400

/**
 * Begins the trace of a commit with what made Headrace look: whichever replica notices it first, by webhook or poll, since
 * a trace has one root. Waits for nothing and throws nothing.
 */
export function traceChange(
  { traces, lanes, log }: TraceChangePorts,
  change: Pick<SpanRecord, "name" | "commit" | "start" | "attributes">,
): void {
  if (traces === undefined) return
  const end = Date.now()
  const { commit } = change
  lanes.redis
    .set(lanes.key("traced", commit), "1", "EX", CLAIM_SECONDS, "NX")
    .then((claimed) => {
      if (claimed !== null) traces.record({ ...change, id: rootSpanId(commit), end })
    })
    .catch((error: unknown) => log.debug({ err: errorText(error) }, "trace not begun"))
}
