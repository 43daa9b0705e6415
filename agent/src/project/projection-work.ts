import type { ByteRoom } from "@headrace/shared/foundation/byte-room"
import type { Clock } from "@headrace/shared/foundation/clock"
import type { Log } from "@headrace/shared/observe/log"
import type { SourceRecord } from "@headrace/shared/record/record"
import type { AssembledProjection } from "../assemble/assemble-projection.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import type { Health } from "../health/health.ts"
import type { CheckResult } from "../health/run-check.ts"
import type { Notifier } from "../notify/notifier.ts"
import type { OpenProjection } from "../publish/open-projection.ts"
import type { PublishResult } from "../publish/publish-revision.ts"
import type { NodeTraces } from "../report/node-traces.ts"
import type { ProjectionStatus } from "../report/projection-status.ts"
import type { LastParts } from "./last-parts.ts"
import type { createOriginGuard } from "./origin-guard.ts"
import type { ProjectionSpec } from "./projection-spec.ts"
import type { PublishLimits } from "./publish-limits.ts"
import type { RecordFloor } from "./record-floor.ts"

/** What a projection works with, and whom it calls. */
export interface ProjectionPorts {
  store: StoreReader
  clock: Clock
  log: Log
  /** Room for contents of files, over all projections; absent: as much as there is. */
  contents?: ByteRoom | undefined
  limits: PublishLimits
  /** How old the signature of a first record may be, in milliseconds; undefined: records need not be signed. */
  maxAge?: number | undefined
  /** Spread of the first read after a change, in milliseconds. */
  jitter: number
  /** Gives a number in [0, 1). */
  random?: (() => number) | undefined
  /** How often to look whether another process has moved what is shown, in milliseconds; 10 s unless given. */
  lookEvery?: number | undefined
  onPublished?(spec: ProjectionSpec, result: PublishResult): void
  /** Called when a commit that is newer than what this process has shown is published, so many milliseconds after it was made. */
  onPropagated?(milliseconds: number): void
  /** Where spans of the way of commits of the record go; absent: nowhere. */
  traces?: NodeTraces | undefined
  /** Called when what is shown is new, or new to this process: work that is rare has ended. */
  onShown?(): void
  onFailed?(spec: ProjectionSpec, error: unknown): void
  /** Called with each run of a check. */
  onCheck?(spec: ProjectionSpec, check: string, result: CheckResult): void
  /** True when this node takes the candidate of a record; absent: it takes none. */
  takes?(record: SourceRecord): boolean
  /** Called when a status has changed. */
  onStatus?(): void
}

/** What the functions of one projection share. */
export interface ProjectionWork {
  readonly spec: ProjectionSpec
  readonly ports: ProjectionPorts
  readonly log: Log
  /** The folder that holds what is known of the store. */
  readonly known: string
  readonly lastParts: LastParts
  /** Undefined: it shows nothing of a record, or records need not be signed. */
  readonly recordFloor: RecordFloor | undefined
  readonly guard: ReturnType<typeof createOriginGuard>
  /** When it began, in milliseconds since 1970. */
  readonly began: number
  readonly status: ProjectionStatus
  readonly notifiers: readonly Notifier[]
  readonly health: Health
  /** Has what was given to `show` last given again. */
  showAgain: () => void
  /** Opened at first use. */
  folder: OpenProjection | undefined
  /** What an earlier run knew of the store, until something is assembled. */
  learnt: AssembledProjection["used"]
  assembled: AssembledProjection | undefined
  /** The key of what is published. */
  published: string | undefined
  /** The number that consumers were notified of; none at start, so that they are notified then too. */
  notified: number | undefined
  /** When the newest commit that this process has shown was made, in milliseconds since the epoch. */
  newest: number | undefined
}
