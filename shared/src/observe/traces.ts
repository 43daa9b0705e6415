import { createHash } from "node:crypto"
import type { Log } from "./log.ts"

/** A piece of work on the way of one commit, once it is over. */
export interface SpanRecord {
  /** `headrace.reconcile` and the like: what was done, without what it was done to. */
  name: string
  /** The full id of the commit whose trace it belongs to. */
  commit: string
  /** Of `spanIdOf`. */
  id: string
  /** Id of the span that it is a part of, or that has caused it; absent: the root of the trace. */
  parent?: string | undefined
  /** Milliseconds since the epoch. */
  start: number
  end: number
  attributes?: Readonly<Record<string, string | number | boolean>>
  /** Why it failed; absent: it did not. */
  error?: string | undefined
}

/** Takes the spans of the programs. Nothing waits for it, and nothing fails with it. */
export interface Traces {
  record(span: SpanRecord): void
  /** Sends what is left; resolves within seconds. */
  close(): Promise<void>
}

/** The program whose spans are sent, and its environment. */
export interface TracedProgram {
  /** `headrace-plugin` and the like: the service's name unless OTEL_SERVICE_NAME gives another. */
  program: string
  version: string
  env: Readonly<Record<string, string | undefined>>
  log: Log
}

const TRACE_ID_LENGTH = 32
const SPAN_ID_LENGTH = 16

/**
 * The trace id of a commit: the first 32 digits of its own id. So every program knows it without having been passed it,
 * and a person finds the trace of a commit by the commit.
 */
export function traceIdOf(commit: string): string {
  return commit.slice(0, TRACE_ID_LENGTH)
}

/** The id of a span, by what it is: a program that continues a trace works out the id of the span that caused its own. */
export function spanIdOf(commit: string, ...parts: readonly (string | number)[]): string {
  return createHash("sha256")
    .update(JSON.stringify([commit, ...parts]))
    .digest("hex")
    .slice(0, SPAN_ID_LENGTH)
}

/** The span of what made Headrace look: a webhook or a poll. Every trace begins with it. */
export function rootSpanId(commit: string): string {
  return spanIdOf(commit, "change")
}

/** The span of a wake-up's wait in the lane of a cluster. */
export function laneSpanId(commit: string, cluster: string, source: string): string {
  return spanIdOf(commit, "lane", cluster, source)
}

/** The span of the swap that made a record show a commit; `uid` is the record's, which agents know, too. */
export function swapSpanId(commit: string, uid: string): string {
  return spanIdOf(commit, "swap", uid)
}
