import type { ErrorCode } from "../foundation/errors.ts"
import { codeOfReason } from "../record/retry-of-target.ts"
import type { Problem } from "./answer.ts"
import { byLevel, finding } from "./finding.ts"
import type { ClusterSourceFacts } from "./fleet-facts.ts"
import type { Finding } from "./fleet-status.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { nodeFindings } from "./node-findings.ts"
import { projectionFindings, unhealthyFindings } from "./projection-findings.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import { rolloutFindings, waitsForTurn } from "./rollout-findings.ts"
import { shortCommit } from "./short-commit.ts"
import { type CommandContext, suggestCheck, suggestClusterCheck, suggestCommand } from "./suggest-command.ts"
import { targetFindings } from "./target-findings.ts"
import { wordFindings } from "./waiting-words.ts"

/** How long a branch may be ahead before that is trouble: a retry after a first failure comes well within it. */
const BEHIND_SECONDS = 300
/** Codes of a record that is believed once somebody with the key has found it right, and signed it. */
const SIGNED_ANEW: ReadonlySet<string> = new Set<ErrorCode>(["trust/unsigned", "trust/key-expired"])

/** What there is to know about one source in one cluster, worst first. Pure. */
export function findingsOf(
  judged: JudgedFacts,
  facts: ClusterSourceFacts,
  surroundings: Surroundings,
): Finding[] {
  const all = [
    ...recordFindings(judged, facts, surroundings),
    ...targetFindings(judged, surroundings),
    ...nodeFindings(judged, facts, surroundings),
    ...projectionFindings(judged, facts, surroundings),
    ...unhealthyFindings(judged, surroundings),
    ...rolloutFindings(judged, surroundings),
    ...operatorFindings(judged, surroundings),
    ...signatureFindings(facts),
    ...wordFindings(judged, surroundings),
    ...storeFindings(judged, facts),
  ]
  return all.sort(byLevel)
}

function recordFindings(
  judged: JudgedFacts,
  { record }: ClusterSourceFacts,
  surroundings: Surroundings,
): Finding[] {
  if (!record.known) return [unreachable(judged, record.problem, surroundings)]
  if (judged.state === "absent") return [absent(judged, surroundings), ...lateFindings(judged, surroundings)]
  if (judged.stopped) return [stopped(judged, surroundings)]
  const staged = stagedTip(judged, surroundings)
  if (staged !== undefined) return [...staged, ...lateFindings(judged, surroundings)]
  return [...behindFindings(judged, surroundings), ...lateFindings(judged, surroundings)]
}

/** What is said in place of being behind a tip that a rollout tries, or has returned from; undefined: none does. */
function stagedTip({ tip, rollout, rejected }: JudgedFacts, { staged }: Surroundings): Finding[] | undefined {
  if (tip === null || staged?.has(tip) !== true) return undefined
  return [rollout?.commit, rejected?.commit].includes(tip) ? [] : [waitsForTurn(tip)]
}

function unreachable(
  judged: JudgedFacts,
  { code, message, hint }: Problem,
  { context }: Surroundings,
): Finding {
  const { cluster } = judged
  const advice = hint ?? remedyOfCode(code)
  const command = commandForUnread(judged, code, context)
  const more = { code, subject: cluster, detail: message, advice, command }
  return finding("trouble", "unreachable", "what it shows is not known", more)
}

/** The cluster has answered where its record does not read or is not believed. */
function commandForUnread(
  { cluster, source }: JudgedFacts,
  code: string,
  context: CommandContext,
): string | null {
  if (SIGNED_ANEW.has(code)) return suggestCommand(context, ["keys", "sign"], { cluster, source })
  // Without a kubeconfig that can be read, kubectl has nothing to ask by either: the setting is what to change.
  if (/^(kube\/kubeconfig|trust\/|record\/)/.test(code)) return null
  return suggestClusterCheck(context, cluster)
}

/** Why the last run failed, and what to do about it. */
function lastRunFailed(
  { code, message }: Pick<Problem, "code" | "message">,
  { source }: JudgedFacts,
  context: CommandContext,
): Pick<Finding, "code" | "detail" | "advice" | "command"> {
  const command = code.startsWith("rules/") ? suggestCheck(context, source) : null
  return { code, detail: `the last run failed: ${message}`, advice: remedyOfCode(code), command }
}

function absent(place: JudgedFacts, { context }: Surroundings): Finding {
  const error = place.lastOutcome?.error
  if (error) {
    return finding("trouble", "absent", "nothing is shown yet", lastRunFailed(error, place, context))
  }
  return finding("trouble", "absent", "nothing is shown yet", {
    detail: "there is no record",
    command: suggestCommand(context, ["apply"], place),
  })
}

function stopped(place: JudgedFacts, surroundings: Surroundings): Finding {
  const { code = "", message = "", commit = null, since = null } = place.stopped ?? {}
  const more = { code, since, detail: message, ...wayOut(place, surroundings) }
  return finding("trouble", "stopped", `stopped at ${shortCommit(commit)}`, more)
}

/** What ends a stop: an operator's command for what waits for one, otherwise what the catalogue of errors says. */
function wayOut(place: JudgedFacts, { context }: Surroundings): Pick<Finding, "advice" | "command"> {
  const { code = "", commit = "" } = place.stopped ?? {}
  if (code.startsWith("guard/")) {
    const command = suggestCommand(context, ["approve", "--commit", shortCommit(commit)], place)
    return { advice: "Approve it if it is meant; otherwise revert the merge.", command }
  }
  if (code.startsWith("gate/") && code !== "gate/no-program") {
    const command = suggestCommand(context, ["approve", "--gate", "--commit", shortCommit(commit)], place)
    return { advice: "Fix it on the branch, or revert the merge; approve it if it is meant.", command }
  }
  if (code.startsWith("verify/")) {
    const words = ["approve", "--unverified", "--commit", shortCommit(commit)]
    const command = suggestCommand(context, words, place)
    return {
      advice: "Merge a commit that an allowed key has signed; or show this one once all the same.",
      command,
    }
  }
  if (code === "git/diverged") {
    const to = ["rewind", "--to", shortCommit(commit), "--reason", "the branch was rewritten"]
    return {
      advice: "Rewind to follow the rewritten branch, then run release; or set allowForcePush.",
      command: suggestCommand(context, to, place),
    }
  }
  return { advice: remedyOfCode(code), command: null }
}

function behindFindings(place: JudgedFacts, surroundings: Surroundings): Finding[] {
  const { now, context } = surroundings
  const { state, tip, lag, lastOutcome } = place
  if (state !== "behind" && state !== "working") return []
  if (place.commit === tip) return []
  const since = lag === null ? null : new Date(now - lag * 1000).toISOString()
  const text = behindText(place, surroundings)
  const failure = lastOutcome?.result === "failed" ? lastOutcome.error : null
  if (failure) {
    return [finding("trouble", "behind", text, { since, ...lastRunFailed(failure, place, context) })]
  }
  if (state === "working" && tip === null) return []
  const isLong = lag !== null && lag > BEHIND_SECONDS
  if (!isLong) return [finding("notice", "behind", text, { since })]
  const advice = "See whether a plugin runs and works the lane: kubectl logs of headrace-plugin."
  return [finding("trouble", "behind", text, { since, advice })]
}

function behindText({ commit, tip, behind }: JudgedFacts, { branch }: Surroundings): string {
  if (commit !== null && branch?.commits.get(commit)?.isInBranch === false) {
    return `the branch was rewritten: it leads to ${shortCommit(tip)} and no longer to ${shortCommit(commit)}`
  }
  const count = behind ? `${behind} ${behind === 1 ? "commit" : "commits"}` : "commits"
  return `${count} behind ${shortCommit(tip)}`
}

function lateFindings({ lane, lastOutcome, ...place }: JudgedFacts, { context }: Surroundings): Finding[] {
  if (!lane?.late) return []
  const { lastSuccess } = lane
  const text = lastSuccess === null ? "late: its lane never succeeded" : "late: its lane last succeeded"
  const error = lastOutcome?.error
  return [
    finding("trouble", "late", text, {
      code: error?.code ?? null,
      since: lastSuccess,
      detail: error ? `the last run ${lastOutcome?.result}: ${error.message}` : null,
      advice: error ? remedyOfCode(error.code) : null,
      command: error ? null : suggestCommand(context, ["apply"], place),
    }),
  ]
}

function operatorFindings(place: JudgedFacts, { context }: Surroundings): Finding[] {
  const { hold, intents, state, commit } = place
  const findings: Finding[] = []
  if (hold && state === "held") {
    const until = hold.until === null ? "until release" : `until ${hold.until}`
    const missed = hold.commit === commit ? "" : ", which it does not show yet"
    const text = `held at ${shortCommit(hold.commit)}${missed} by ${hold.by} ${until}`
    const command = suggestCommand(context, ["release"], place)
    findings.push(finding("notice", "held", text, { detail: hold.reason, command }))
  }
  for (const intent of intents) {
    const targets = intent.targets === "all" ? "all targets" : `${intent.targets} targets`
    findings.push(
      finding("notice", "working", `${shortCommit(intent.commit)} is being written`, {
        detail: targets,
        advice: "Wait: the lane's worker ends it, or the next one does.",
      }),
    )
  }
  return findings
}

/** What is in force and not signed by a key of now: it was, or an operator has approved it, or it came before `verify`. */
function signatureFindings({ verification }: ClusterSourceFacts): Finding[] {
  if (verification === undefined || verification.state === "verified") return []
  const { state, commit, detail } = verification
  const text = `${shortCommit(commit)} is in force and not verified`
  if (state === "lifted") {
    return [finding("notice", "unverified", `${text}: an operator has approved that`, { detail })]
  }
  const advice = "Look at who made it. It stays in force; a signed commit on top, or rewind, replaces it."
  return [finding("trouble", "unverified", text, { code: codeOfReason(detail) ?? null, detail, advice })]
}

function storeFindings({ state, stopped, intents }: JudgedFacts, facts: ClusterSourceFacts): Finding[] {
  if (state === "unreachable" || state === "absent") return []
  const { store, failed, orphans, words } = facts
  const findings: Finding[] = []
  if (words?.known === false)
    findings.push(unreadable("which operators' words wait is not known", words.problem))
  if (!store.known) findings.push(unreadable("how large the store is is not known", store.problem))
  if (!failed.known) findings.push(unreadable("which targets failed is not known in full", failed.problem))
  const isSettled = stopped === null && intents.length === 0
  if (!orphans.known && isSettled) {
    findings.push(unreadable("ConfigMaps that no rule names are not known", orphans.problem))
  }
  return findings
}

function unreadable(what: string, { code, message, hint }: Problem): Finding {
  const isError = code !== "program/unexpected"
  return finding("notice", "unreadable", what, {
    code: isError ? code : null,
    detail: message,
    advice: hint ?? remedyOfCode(code),
  })
}
