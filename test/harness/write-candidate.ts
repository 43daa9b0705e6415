import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { readRecord } from "@headrace/shared/record/record-config-map"
import { ALL_NODES, type Candidate } from "@headrace/shared/record/rollout-state"
import { revisionObjects, type TestRevision, writeConfigMap, writeRevision } from "./write-revision.ts"

/** The candidate that a rollout makes of a revision, for every node unless given otherwise. */
export function candidateOf(revision: TestRevision, more: Partial<Candidate> = {}): Candidate {
  const { commit, token, root, rules } = readRecord(revisionObjects(revision).record)
  if (commit === null) throw new Error("a test revision has a commit")
  return {
    commit,
    token,
    root,
    rules: rules ?? "",
    rulesCommit: null,
    policy: "0".repeat(16),
    stage: 0,
    bound: ALL_NODES,
    selectors: [],
    expected: { count: 1, nodes: null },
    since: "2026-01-01T00:00:00.000Z",
    passed: null,
    view: false,
    hurried: false,
    skipped: [],
    word: null,
    ...more,
  }
}

/** Writes a record that has `baseline` in force and tries `candidate`, and the store objects of both. */
export async function writeCandidate(
  kube: ConfigMapWriter,
  baseline: TestRevision,
  candidate: TestRevision,
  more: Partial<Candidate> = {},
): Promise<void> {
  for (const object of revisionObjects(candidate).store) await writeConfigMap(kube, object).catch(unlessThere)
  await writeRevision(kube, {
    ...baseline,
    record: { ...baseline.record, candidate: candidateOf(candidate, more) },
  })
}

/** Store objects never change, and are refused where they are there. */
function unlessThere(): void {}
