import type { Clock } from "../foundation/clock.ts"
import type { ConfigMapReader } from "../kube/config-map-api.ts"
import {
  type OperatorWord,
  readAnswer,
  readWord,
  WORD_AGE_MS,
  WORD_LABEL,
} from "../reconcile/operate/operator-word.ts"
import { byLevel, finding } from "./finding.ts"
import type { Finding, WordStatus } from "./fleet-status.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { suggestCommand } from "./suggest-command.ts"

/** A program with the key that is up obeys within seconds: its command wakes it. */
const PROMPT_MS = 60_000
/** So many are named; a namespace may hold any number. */
const MOST = 20

/** What operators said about a source, and no program with the key has obeyed; oldest first. Throws `kube/…`. */
export async function waitingWords(
  { kube, clock }: { kube: ConfigMapReader; clock: Clock },
  { namespace, source }: { namespace: string; source: string },
  signal: AbortSignal,
): Promise<WordStatus[]> {
  const { items } = await kube.list(namespace, { labelSelector: `${WORD_LABEL}=${source}` }, signal)
  return items
    .flatMap((item) => {
      const answer = readAnswer(item)
      if (answer?.error === null) return []
      const word = readWord(item)
      const { name, creationTimestamp } = item.metadata
      const since = word?.at ?? creationTimestamp ?? new Date(clock.now()).toISOString()
      const { by = null, reason = null } = word ?? {}
      return {
        name,
        says: word === undefined ? null : saidText(word),
        by,
        reason,
        since,
        error: answer?.error ?? null,
      }
    })
    .sort((a, b) => Date.parse(a.since) - Date.parse(b.since))
    .slice(0, MOST)
}

/** What a word says, as the command that said it. */
function saidText({ said }: OperatorWord): string {
  switch (said.verb) {
    case "hold":
      return said.commit === undefined ? "hold" : `hold --commit ${said.commit}`
    case "rewind":
      return `rewind --to ${said.commit}`
    case "approve":
      return `approve --commit ${said.commit}${LIFTS[said.lifts]}`
    case "skip":
      return `rollout skip ${said.clusters.join(" ")}`
    default:
      return said.verb
  }
}

const LIFTS = { guard: "", gate: " --gate", unverified: " --unverified", rejection: " --rejection" }

/** What there is to know about the words of operators, worst first. Pure. */
export function wordFindings(judged: JudgedFacts, surroundings: Surroundings): Finding[] {
  return (judged.words ?? []).map((word) => wordFinding(word, judged, surroundings)).sort(byLevel)
}

function wordFinding(word: WordStatus, place: JudgedFacts, { now, context }: Surroundings): Finding {
  const { name, says, by, reason, since, error } = word
  const who = says === null ? `word ${name}` : `${says}, said by ${by},`
  if (error !== null) {
    const detail = error.message
    const more = { code: error.code, since, detail, advice: remedyOfCode(error.code) }
    return finding("notice", "word", `${who} was not obeyed`, more)
  }
  const age = now - Date.parse(since)
  if (says === null) {
    const advice = "Wait: a program with the key answers it. It is no command of this version."
    return finding("notice", "word", `${who} does not read`, { since, advice })
  }
  if (age > WORD_AGE_MS) {
    const advice = "Say it again if it still holds: a word is obeyed for a day."
    return finding("trouble", "word", `${who} was obeyed by no program`, { since, detail: reason, advice })
  }
  const isLong = age > PROMPT_MS
  const advice = isLong
    ? "Start a plugin or the hourly job, which have the key, or run the command again where the key is."
    : "Wait: a program with the key obeys it with its next run."
  const command = suggestCommand(context, ["apply"], place)
  const level = isLong ? "trouble" : "notice"
  return finding(level, "word", `${who} waits for a program with the key`, {
    since,
    detail: reason,
    advice,
    command,
  })
}
