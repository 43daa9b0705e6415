/** "Look again": all that ever travels through a lane. It carries no content, so a lost one costs a delay. */
export interface WakeUp {
  format: 1
  source: string
  /** `full` rebuilds every target; `incremental` those whose files changed. */
  mode: "incremental" | "full"
  /** Who asked: `webhook`, `poll`, `schedule`, `operator`, for the log alone. */
  reason: string
}
