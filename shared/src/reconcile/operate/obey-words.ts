import { compareText } from "../../foundation/canonical-json.ts"
import type { ConfigMap } from "../../foundation/config-map.ts"
import { errorMessage, HeadraceError } from "../../foundation/errors.ts"
import { isLostRace } from "../../kube/compare-and-swap.ts"
import type { SourceRecord } from "../../record/record.ts"
import { liftRejection, promoteNow, skipCluster } from "../../rollout/words.ts"
import { changeRecord, type RecordPorts } from "../record/change-record.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import { approveCommit, approveGate, approveUnverified } from "./approve-commit.ts"
import { type ApprovePorts, holdSource, releaseSource, rewindSource } from "./hold-source.ts"
import {
  answered,
  type OperatorWord,
  readAnswer,
  readWord,
  WORD_AGE_MS,
  WORD_LABEL,
} from "./operator-word.ts"

/** How long an answer stays to be read. */
const ANSWER_KEPT_MS = 3_600_000
/** Words of one source that are read in a run; more wait for the next. */
const MOST = 50

const APPROVE = { guard: approveCommit, gate: approveGate, unverified: approveUnverified }

/** Does what an operator's word says, as the command itself does on a machine with the key. Throws as that does. */
export async function obeyWord(
  ports: ApprovePorts & RecordPorts,
  { said, by, reason, at }: OperatorWord,
  signal: AbortSignal,
): Promise<SourceRecord> {
  const word = { by, reason, at }
  switch (said.verb) {
    case "hold": {
      const { commit, until } = said
      return holdSource(ports, { by, reason, until, ...(commit ? { commit } : {}) }, signal)
    }
    case "rewind": {
      const { commit, rulesCommit, until, epoch } = said
      const more = { ...(rulesCommit ? { rulesCommit } : {}), ...(epoch ? { atLeast: epoch } : {}) }
      return rewindSource(ports, { by, reason, until, commit, ...more }, signal)
    }
    case "release":
      return releaseSource(ports, signal)
    case "promote":
      return changeRecord(ports, (record) => promoteNow(record, word), signal)
    case "skip":
      return changeRecord(
        ports,
        (record) => said.clusters.reduce((next, cluster) => skipCluster(next, cluster, word), record),
        signal,
      )
    case "approve": {
      const approval = { commit: said.commit, ...word }
      if (said.lifts !== "rejection") return APPROVE[said.lifts](ports, said.commit, signal, approval)
      return changeRecord(ports, (record) => liftRejection(record, said.commit), signal, { approval })
    }
  }
}

/**
 * Obeys the words of operators about a source, oldest first, and answers each; removes answers that nobody needs any more.
 * Only where the settings name a namespace for words and the key is here. One that cannot be obeyed keeps no other back.
 * Throws `kube/…` where words cannot be read.
 */
export async function obeyWords(ports: ReconcilePorts, source: string, signal: AbortSignal): Promise<void> {
  const { kube, settings, clock, log } = ports
  const { wordsNamespace } = settings
  if (wordsNamespace === undefined) return
  const selection = { labelSelector: `${WORD_LABEL}=${source}` }
  const { items } = await kube.list(wordsNamespace, selection, signal)
  const waiting = items.filter((item) => readAnswer(item) === undefined)
  for (const item of waiting.sort(byAge).slice(0, MOST)) {
    const error = await attempt(item)
    try {
      await kube.replace(answered(item, { error, at: Math.floor(clock.now()) }), signal)
    } catch (cause) {
      if (!isLostRace(cause)) throw cause
    }
  }
  for (const item of items) {
    const at = readAnswer(item)?.at
    if (at !== undefined && clock.now() - at > ANSWER_KEPT_MS) await remove(item)
  }

  async function attempt(item: ConfigMap): Promise<{ code: string; message: string } | null> {
    const word = readWord(item)
    const { name } = item.metadata
    try {
      if (word === undefined || word.source !== source) throw unreadable(name)
      if (clock.now() - Date.parse(word.at) > WORD_AGE_MS) throw tooOld(name, word.at)
      await obeyWord({ ...ports, namespace: settings.namespace, source }, word, signal)
      log.info({ word: name, verb: word.said.verb, by: word.by }, "operator's word obeyed")
      return null
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ word: name, err: errorMessage(error) }, "operator's word not obeyed")
      const code = error instanceof HeadraceError ? error.code : "program/unexpected"
      return { code, message: errorMessage(error).slice(0, 500) }
    }
  }

  async function remove(item: ConfigMap): Promise<void> {
    try {
      await kube.remove(item, signal)
    } catch (error) {
      if (!isLostRace(error)) throw error
    }
  }
}

/** By when they were said: the API server's own times have seconds alone. */
function byAge(a: ConfigMap, b: ConfigMap): number {
  return compareText(readWord(a)?.at ?? "", readWord(b)?.at ?? "")
}

function unreadable(name: string): HeadraceError {
  return new HeadraceError("words/unreadable", `word ${name} does not read`, {
    hint: "Say it again by a command of the version that the plugin has.",
  })
}

function tooOld(name: string, at: string): HeadraceError {
  return new HeadraceError("words/too-old", `word ${name} was said at ${at}, more than a day ago`, {
    hint: "Say it again if it still holds.",
  })
}
