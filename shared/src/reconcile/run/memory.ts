import type { ShardTrie } from "../../bundle/shard-trie.ts"
import { type BoundedMap, boundedMap } from "../../foundation/bounded-map.ts"
import type { ErrorCode } from "../../foundation/errors.ts"
import type { Problem } from "../../foundation/problem.ts"
import type { Validate } from "../../gates/compile-schema.ts"
import type { PlannedTarget } from "../../plan/plan.ts"
import type { TreePlan } from "../../plan/plan-targets.ts"
import type { ShardEntry } from "../../record/build-index.ts"
import type { Token } from "../../record/record.ts"
import type { StoreIndex } from "../../record/store-index.ts"
import type { WatchedChecks } from "../../rollout/watched-checks.ts"
import type { WatchedStage } from "../../rollout/watched-stage.ts"
import type { RuleSet } from "../../rules/rule.ts"

/** Rules as read at a commit, with the digest of their text; or why there are none. */
export type RulesAnswer = { rules: RuleSet; text: string } | { code: ErrorCode; message: string }

/**
 * What one source's runs remember, for all its clusters: pure results by their inputs, store objects by their digests,
 * and tokens that were in force, so that nothing here can be out of date. Losing it costs time alone.
 */
export interface ReconcileMemory {
  /** By rules commit and path. */
  rules: BoundedMap<RulesAnswer>
  /** The same by the digest of their text, and path: most commits do not change them. */
  parsedRules: BoundedMap<RulesAnswer>
  /** By commit, text of the rules and settings. */
  plans: BoundedMap<TreePlan>
  /** The plan that was made last under some text of the rules and settings, by these: the next is made from it. */
  nearPlans: BoundedMap<TreePlan>
  /** Indexes by digest. */
  indexes: BoundedMap<StoreIndex>
  /** How the keys of a planned target are shared out among shards, for as long as a plan that has them is kept. */
  tries: WeakMap<PlannedTarget["keys"], ShardTrie>
  /** What a shard is, by the fingerprint of its files. */
  shards: BoundedMap<ShardEntry>
  /** What a target holds at a resourceVersion that we wrote ourselves, by cluster and `namespace/name`. */
  views: BoundedMap<WrittenView>
  /** The largest token that a cluster's record was seen with, or that its nodes report, by cluster. */
  known: BoundedMap<KnownToken>
  /** Compiled JSON Schemas of gates. */
  schemas: BoundedMap<Validate>
  /** What gates have against a revision, by it, the gates and the revision in force. */
  verdicts: BoundedMap<Promise<readonly Problem[]>>
  /** What was seen of the open stage of a rollout, by cluster. Losing it makes a bake time begin again. */
  stages: BoundedMap<WatchedStage>
  /** What the checks of a rollout's policy answered last, by cluster. Losing it makes them be asked again. */
  checks: BoundedMap<WatchedChecks>
}

/** A token that was in force in a cluster: an earlier record that was put back knows a smaller one. */
export interface KnownToken {
  token: Token
  /** The record's; undefined: a node reports it. */
  uid: string | undefined
}

/**
 * A named ConfigMap as we left it. While its content has this digest, it holds this plan. Its resourceVersion alone would
 * not show that: after a restore of etcd the same one can be of another content.
 */
export interface WrittenView {
  resourceVersion: string
  /** As content-digest.ts has it. */
  content: string
  planned: PlannedTarget
}

export function createReconcileMemory(): ReconcileMemory {
  return {
    rules: boundedMap(8),
    parsedRules: boundedMap(4),
    plans: boundedMap(4),
    nearPlans: boundedMap(2),
    indexes: boundedMap(4096),
    tries: new WeakMap(),
    shards: boundedMap(65_536),
    views: boundedMap(4096),
    known: boundedMap(1024),
    schemas: boundedMap(32),
    verdicts: boundedMap(64),
    stages: boundedMap(1024),
    checks: boundedMap(1024),
  }
}
