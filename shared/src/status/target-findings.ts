import { codeOfReason } from "../record/retry-of-target.ts"
import { ageText } from "./age-text.ts"
import { finding } from "./finding.ts"
import type { FailedTargetStatus, Finding } from "./fleet-status.ts"
import type { JudgedFacts, Surroundings } from "./judged-facts.ts"
import { type CommandContext, suggestCommand } from "./suggest-command.ts"

/** Failed targets that are named one by one; the JSON output lists all. */
const NAMED = 10
const ADOPTABLE = ["reconcile/not-ours", "reconcile/other-source"]

const WHEN: { readonly [retry in FailedTargetStatus["retry"]]: string } = {
  soon: "Tried again within a minute.",
  rarely: "Tried again every five minutes.",
  never: "Tried again with the next commit.",
}

/** What is wrong with single targets: failed ones, ones that no rule names, ones that other programs wrote. */
export function targetFindings(place: JudgedFacts, { now, context }: Surroundings): Finding[] {
  return [
    ...failedFindings(place, now, context),
    ...orphanFindings(place, context),
    ...foreignFindings(place),
  ]
}

function failedFindings(place: JudgedFacts, now: number, context: CommandContext): Finding[] {
  const { failed } = place
  const named = failed.slice(0, NAMED).map((one) => failedFinding(place, one, now, context))
  const more = failed.length - named.length + place.failedMore
  if (more === 0) return named
  return [
    ...named,
    finding("trouble", "failed", `${more} more targets failed`, { advice: "status -o json lists them." }),
  ]
}

function failedFinding(
  place: JudgedFacts,
  failed: FailedTargetStatus,
  now: number,
  context: CommandContext,
): Finding {
  const { target, reason, since, remedy } = failed
  const code = codeOfReason(reason) ?? null
  const command = ADOPTABLE.includes(code ?? "")
    ? suggestCommand(context, ["adopt", "--target", target], place)
    : null
  return finding("trouble", "failed", `${target} failed`, {
    code,
    subject: target,
    since,
    detail: reason,
    advice: [whenText(failed, now), ...(remedy === null ? [] : [remedy])].join(" "),
    command,
  })
}

function whenText({ retry, next }: FailedTargetStatus, now: number): string {
  if (next === undefined) return WHEN[retry]
  const wait = Date.parse(next) - now
  const exact = next.replace(/\.\d+Z$/, "Z")
  return wait > 0 ? `Tried again at ${exact} (in ${ageText(wait)}).` : "Tried again now."
}

function orphanFindings(place: JudgedFacts, context: CommandContext): Finding[] {
  const orphans = place.orphans ?? []
  if (orphans.length === 0) return []
  const more = orphans.length - NAMED
  const names = [...orphans.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(", ")
  const command = suggestCommand(context, ["apply", "--direct", "--prune"], place)
  return [
    finding("notice", "orphan", "no rule names any more", {
      subject: orphans[0] ?? null,
      detail: names,
      command,
    }),
  ]
}

function foreignFindings({ foreign }: JudgedFacts): Finding[] {
  return foreign.map(({ target, writer, at }) =>
    finding("notice", "foreign", `${target} was written by ${writer}, found and repaired`, {
      subject: target,
      since: at,
      advice: "Stop that writer, or let no rule name the ConfigMap.",
    }),
  )
}
