import type { Clock } from "@headrace/shared/foundation/clock"
import { compareTokens } from "@headrace/shared/record/token"
import type { AfterCheckSettings } from "@headrace/shared/settings/agent-after"
import { createLatest } from "../watch/latest.ts"
import {
  type CheckedRevision,
  type Found,
  foundAfter,
  type HealthState,
  judgeHealth,
} from "./judge-health.ts"
import { type CheckResult, runCheck } from "./run-check.ts"

/** The checks of one projection. What they found of one revision never counts for another. */
export interface Health {
  /** Takes up what is shown now; the same revision again changes nothing. */
  follow(revision: CheckedRevision): void
  /** Undefined without checks, and before anything is shown. */
  state(): HealthState | undefined
  /** Runs the checks until the signal aborts, then rejects with its reason. */
  run(signal: AbortSignal): Promise<unknown>
}

export interface HealthPorts {
  clock: Clock
  /** Called when the state has changed. */
  onChange(state: HealthState): void
  /** Called with each run of a check. */
  onRun?(check: string, result: CheckResult): void
}

/** Checks that run after each revision is shown, by the settings' `after`. */
export function createHealth(checks: readonly AfterCheckSettings[], ports: HealthPorts): Health {
  const { clock } = ports
  const followed = createLatest<CheckedRevision>()
  const named = checks.map((check, at) => ({ check, name: `${wayOf(check)}[${at}]` }))
  let found = new Map<string, Found>()
  let last = ""

  function state(): HealthState | undefined {
    const of = followed.current()?.value
    return of === undefined || checks.length === 0
      ? undefined
      : judgeHealth(
          of,
          named.map(({ name }) => name),
          found,
        )
  }

  function announce(): void {
    const now = state()
    const text = JSON.stringify([now?.checks, now?.problem?.message])
    if (now === undefined || text === last) return
    last = text
    ports.onChange(now)
  }

  function take(name: string, check: AfterCheckSettings, result: CheckResult): void {
    ports.onRun?.(name, result)
    found.set(name, foundAfter(found.get(name), result, check.failures, new Date(clock.now()).toISOString()))
    announce()
  }

  /** Runs one check of one revision until it has passed for as long as it is to run, or another revision comes. */
  async function checkOne({ check, name }: (typeof named)[number], version: number, signal: AbortSignal) {
    const until = clock.now() + check.for
    for (;;) {
      await clock.sleep(check.every, signal)
      const now = followed.current()
      if (now === undefined) return
      const { projection, path, revision, token } = now.value
      const result = await runCheck(check, { projection, path, revision, token }, signal)
      if (followed.current()?.version !== version) return
      take(name, check, result)
      const isOver = clock.now() >= until && found.get(name)?.passes === true
      if (isOver && followed.current()?.value.isCandidate !== true) return
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (let seen = 0; ; ) {
      const { version } = await followed.after(seen, signal)
      seen = version
      const over = new AbortController()
      const either = AbortSignal.any([signal, over.signal])
      const running = named.map((one) => checkOne(one, version, either).catch(unlessAborted(either)))
      await followed.after(version, signal).finally(() => over.abort())
      await Promise.all(running)
    }
  }

  return {
    follow(revision) {
      const before = followed.current()?.value
      if (checks.length === 0) return
      if (before !== undefined && isSame(before, revision)) {
        before.isCandidate = revision.isCandidate
        return
      }
      found = new Map()
      last = ""
      followed.set({ ...revision })
      announce()
    },
    state,
    run,
  }
}

function isSame(a: CheckedRevision, b: CheckedRevision): boolean {
  return a.revision === b.revision && a.root === b.root && compareTokens(a.token, b.token) === 0
}

function wayOf({ http, exec }: AfterCheckSettings): string {
  if (http !== undefined) return "http"
  return exec === undefined ? "file" : "exec"
}

function unlessAborted(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (!signal.aborted) throw error
  }
}
