import type { ClusterSourceStatus, Finding } from "./fleet-status.ts"

/** What a finding adds to the state, in a word or two; those that the state says itself are absent. */
const WORDS: { readonly [kind in Finding["kind"]]?: string } = {
  failed: "targets failed",
  node: "nodes behind",
  silent: "nodes silent",
  late: "late",
  "nodes-unknown": "nodes unknown",
  unreadable: "not all known",
  orphan: "orphans",
  foreign: "written by others",
}

/** The state, and the worst that it does not say: `current, nodes silent`. So no cluster is in trouble and only "current". */
export function stateLabel({ state, findings }: Pick<ClusterSourceStatus, "state" | "findings">): string {
  const [worst] = findings
  const word = worst && WORDS[worst.kind]
  return word === undefined ? state : `${state}, ${word}`
}
