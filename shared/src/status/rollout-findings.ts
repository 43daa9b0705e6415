import { namedText } from "../foundation/named-text.ts"
import { ageText } from "./age-text.ts"
import { finding } from "./finding.ts"
import type { Finding } from "./fleet-status.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { remedyOfCode } from "./remedy-of-code.ts"
import type { RolloutStatus } from "./rollout-status.ts"
import { shortCommit } from "./short-commit.ts"
import { suggestCommand } from "./suggest-command.ts"

/** Nodes that are named in one sentence; the JSON output lists all. */
const NAMED = 5

/** What there is to know of a rollout under way, and of the one that returned last. */
export function rolloutFindings(judged: JudgedFacts, surroundings: Surroundings): Finding[] {
  const { rollout, rejected } = judged
  return [
    ...(rollout === undefined ? [] : [underWay(rollout, judged, surroundings)]),
    ...(rejected === undefined ? [] : [returned(judged, rejected, surroundings)]),
  ]
}

/** `stage 2 of 4 of 3f9a1c0 since …: 25 % of the nodes; 4 of 5 healthy; 3 min left at least`. */
function underWay(rollout: RolloutStatus, judged: JudgedFacts, { context }: Surroundings): Finding {
  const { commit, stage, stages, reach, since, waitsFor } = rollout
  const of = stages === null ? "" : ` of ${stages}`
  // Another cluster's stage takes its time, too.
  const isHeldUp = waitsFor.length > 0 || otherHoldUp(rollout).some((one) => !one.startsWith("cluster "))
  const words = ["promote", "--now", "--reason", "WHY"]
  return finding("notice", "rollout", `stage ${stage}${of} of ${shortCommit(commit)}`, {
    since,
    subject: waitsFor[0]?.node ?? null,
    detail: [reach, ...progress(rollout)].join("; "),
    advice: isHeldUp ? null : "Wait: it continues when the bake time is over and every check passes.",
    command: isHeldUp ? suggestCommand(context, words, judged) : null,
  })
}

/** Of a cluster that shows the baseline while stages before its own try the tip. */
export function waitsForTurn(tip: string): Finding {
  return finding("notice", "rollout", `${shortCommit(tip)} is tried in other clusters first`, {
    advice: "Wait: its turn comes when the stages before have passed.",
  })
}

/** Clusters and checks of the policy: nodes are judged by their own reports, and the time that is left comes with the stage. */
function otherHoldUp({ holdUp = [] }: RolloutStatus): string[] {
  return holdUp.filter((one) => !/^(?:node |the bake time: )/.test(one))
}

function progress(rollout: RolloutStatus): string[] {
  const { expected, healthy, left, waitsFor, skipped, word } = rollout
  const names = [...waitsFor.map(({ node, why }) => `${node} (${why})`), ...otherHoldUp(rollout)]
  return [
    ...(expected > 0 ? [`${healthy} of ${expected} nodes healthy`] : []),
    ...(left === null ? [] : [left > 0 ? `${ageText(left * 1000)} left at least` : "the bake time is over"]),
    ...(names.length > 0 ? [`waits for ${namedText(names, NAMED)}`] : []),
    ...(skipped.length > 0 ? [`without ${skipped.join(", ")}`] : []),
    ...(word === null ? [] : [`${word.by} says: ${word.reason}`]),
  ]
}

function returned(
  judged: JudgedFacts,
  { commit, code, reason, at }: NonNullable<JudgedFacts["rejected"]>,
  { context }: Surroundings,
): Finding {
  const remedy = remedyOfCode(code)
  const again = ["approve", "--rejection", "--commit", shortCommit(commit)]
  // A rejection counts in every cluster, so it is lifted in all.
  const { source } = judged
  return finding("trouble", "rejected", `${shortCommit(commit)} was tried and went back`, {
    code,
    since: at,
    detail: reason,
    advice: remedy ?? "Fix the commit and merge again, or lift the rejection.",
    command: suggestCommand(context, again, { source }),
  })
}
