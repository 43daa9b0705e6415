import type { Backoff } from "@headrace/shared/foundation/backoff"
import type { Clock } from "@headrace/shared/foundation/clock"
import { errorText, hasCode } from "@headrace/shared/foundation/errors"
import type { ConfigMapReader } from "@headrace/shared/kube/config-map-api"
import type { FollowOptions } from "@headrace/shared/kube/light/follow"
import { noteBreach } from "@headrace/shared/observe/bound-breaches"
import type { Log } from "@headrace/shared/observe/log"
import type { Latest } from "./latest.ts"
import type { FeedStatus, WatchStatus } from "./watch-status.ts"

export interface WatchPorts {
  /** Reads Secrets, in the shape of ConfigMaps. */
  secrets?: ConfigMapReader | undefined
  clock: Clock
  log: Log
  /** Kept up to date. */
  status: WatchStatus
  /** Each new value ends the wait of whatever is polled. */
  hurry?: Latest<true> | undefined
  /** Bytes of all objects that one selection has in one namespace; absent: as many as there are. */
  most?: number
  /** Bytes of one file of a git source; absent: as many as there are. */
  mostBytes?: number
  /** Called with the bytes of contents that are read next, and dropped at once. */
  onRead?(bytes: number): void
}

/** Short at its longest, so that a node is whole again within seconds of an outage's end; jittered. */
const RETRY: Backoff = { first: 100, limit: 3_000 }

/** How to follow, with what goes well and wrong put into the status; `what` names it there and in the log. */
export function followOptions(
  ports: WatchPorts,
  what: string,
): Omit<FollowOptions, "namespace" | "selection"> {
  const { clock, log } = ports
  const status: FeedStatus = { began: clock.now() }
  ports.status.feeds.set(what, status)
  return {
    clock,
    backoff: RETRY,
    ...(ports.most === undefined ? {} : { most: ports.most }),
    onContact() {
      status.heard = clock.now()
      status.problem = undefined
    },
    onTrouble(error, wait) {
      const text = errorText(error)
      if (hasCode(error, "kube/list-too-large")) noteBreach("list", `origin ${what}`)
      if (status.problem !== text) log.warn({ err: text, what, wait }, "the API server cannot be read")
      status.problem = text
    },
  }
}
