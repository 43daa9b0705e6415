import { createHash } from "node:crypto"
import type { Candidate } from "./rollout-state.ts"

/** Whom a candidate is for. */
export type CandidateChoice = Pick<Candidate, "bound" | "selectors">

/**
 * True when a node shows the candidate of a source, by its name and the labels that its agent's settings give it. The
 * writer and the agent decide by this one function. What it says of a node never turns false while a rollout goes
 * forward, since bounds only grow and selectors are only added: no node is led back within a rollout.
 *
 * @public
 */
export function takesCandidate(
  { source, node, labels }: { source: string; node: string; labels: { [label: string]: string } },
  { bound, selectors }: CandidateChoice,
): boolean {
  return nodeHash(source, node) < bound || selectors.some((selector) => hasLabels(labels, selector))
}

/** Where a node lies among all, from 0 to 2^32 - 1: evenly spread, and another order for each source. */
export function nodeHash(source: string, node: string): number {
  return createHash("sha256").update(`${source}\n${node}`).digest().readUInt32BE(0)
}

function hasLabels(labels: { [label: string]: string }, selector: { [label: string]: string }): boolean {
  const wanted = Object.entries(selector)
  return (
    wanted.length > 0 &&
    wanted.every(([label, value]) => Object.hasOwn(labels, label) && labels[label] === value)
  )
}
