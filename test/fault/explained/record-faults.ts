import {
  MINUTE,
  NEW,
  NODE_BEFORE,
  NOW,
  OLD,
  problem,
  RECORD_BEFORE,
  TOKENS,
} from "../../harness/faulty-fleet.ts"
import type { ExplainedFault } from "./explained-fault.ts"

const SINCE = "2026-11-28T13:58:00Z"
const BEHIND = { record: RECORD_BEFORE, node: NODE_BEFORE }

/** A target that failed for this reason. */
function failed(target: string, reason: string): ExplainedFault["fault"] {
  return { record: { failed: [{ target, reason, since: SINCE }] } }
}

/** What keeps records and targets from a commit. */
export const RECORD_FAULTS: readonly ExplainedFault[] = [
  {
    of: ["failed-targets: a target whose API server %s"],
    what: "a target without rights",
    fault: failed("ci/jobs", "kube/forbidden: may not write"),
    answer: /not live: .*ci\/jobs failed: kube\/forbidden/,
    says: [/2 min ago/, /Tried again within a minute\./],
  },
  {
    of: [],
    what: "a ConfigMap of a stranger",
    fault: failed("ci/jobs", "reconcile/not-ours: it is not ours"),
    answer: /ci\/jobs failed/,
    says: [/→ headrace-bootstrapper adopt --target ci\/jobs --cluster east/],
  },
  {
    of: [],
    what: "more failed targets than the record lists",
    fault: { record: { failed: [], failedMore: 30 } },
    answer: /30 more targets failed/,
    says: [/30 more targets failed/],
  },
  {
    of: ["real-namespaces: on a real API server"],
    what: "a namespace that is being deleted",
    fault: failed("gone/jobs", "kube/terminating: namespace gone is being deleted"),
    answer: /gone\/jobs failed: kube\/terminating/,
    says: [/gone\/jobs failed since/],
  },
  {
    of: ["real-namespaces: on a real API server"],
    what: "a ConfigMap that is being deleted",
    fault: failed("ci/beta", "reconcile/terminating: ConfigMap ci/beta is being deleted"),
    answer: /ci\/beta failed: reconcile\/terminating/,
    says: [/ci\/beta failed since .*\[reconcile\/terminating\]|reconcile\/terminating:/, /Tried again/],
  },
  {
    of: ["killed-worker: gives the wake-up", "frozen-worker: writes nothing after it slept"],
    what: "a worker that ended between intent and swap",
    fault: {
      ...BEHIND,
      record: {
        ...RECORD_BEFORE,
        intents: [{ token: TOKENS.at, commit: NEW, rulesCommit: null, targets: ["ci/a", "ci/b"] }],
      },
    },
    answer: /not in aaaaaaaaaaaa/,
    says: [/bbbbbbbbbbbb is being written: 2 targets/, /the next one does/],
  },
  {
    of: ["frozen-worker: writes nothing after it slept"],
    what: "a commit that is being taken back",
    fault: {
      record: { intents: [{ token: { epoch: 2, seq: 7 }, commit: OLD, rulesCommit: null, targets: "all" }] },
    },
    answer: /aaaaaaaaaaaa, without it, is being written/,
    says: [/aaaaaaaaaaaa is being written: all targets/],
  },
  {
    of: [
      "lost-keys: any one key",
      "lost-keys: the type of one key",
      "lost-keys: the wake-up itself",
      "lost-keys: its count of wake-ups",
      "lost-keys: everything, or is paused",
    ],
    what: "a lane whose keys Redis lost, and that has not run since",
    fault: { ...BEHIND, lastSuccess: NOW - 180 * MINUTE },
    answer: /not in aaaaaaaaaaaa/,
    says: [
      /late: its lane last succeeded 2026-11-28T11:00:00Z \(3 h ago\)/,
      /→ headrace-bootstrapper apply --cluster east/,
    ],
  },
  {
    of: ["named-clusters: works the lanes", "named-clusters: takes such names"],
    what: "a cluster whose name has colons and slashes",
    fault: {
      cluster: "ci/api-build01:6443",
      record: {
        ...RECORD_BEFORE,
        stopped: { code: "guard/deleted-keys", message: "40 of 41 keys", commit: NEW },
      },
    },
    answer: /release in ci\/api-build01:6443/,
    says: [/→ headrace-bootstrapper approve --commit bbbbbbbbbbbb --cluster ci\/api-build01:6443/],
  },
  {
    of: [],
    what: "a run that cannot fetch",
    fault: {
      ...BEHIND,
      outcome: { result: "failed", error: { code: "git/auth-failed", message: "git fetch was refused" } },
    },
    answer: /not in aaaaaaaaaaaa/,
    says: [/the last run failed: git fetch was refused \[git\/auth-failed\]/],
  },
  {
    of: [],
    what: "an API server that does not answer",
    fault: { record: problem("status/no-answer", "cluster east did not answer within 2 s") },
    answer: /the record cannot be read: cluster east did not answer/,
    says: [
      /what it shows is not known: cluster east did not answer/,
      /→ kubectl --kubeconfig \/kube\/east get --raw=\/readyz/,
    ],
  },
  {
    of: [],
    what: "a commit that the guard stopped",
    fault: {
      node: NODE_BEFORE,
      record: {
        ...RECORD_BEFORE,
        stopped: {
          code: "guard/deleted-keys",
          message: "40 of 41 keys",
          commit: NEW,
          judged: { rulesCommit: null, rules: null, since: "2026-11-28T13:08:00Z" },
        },
      },
    },
    answer: /not in aaaaaaaaaaaa/,
    says: [
      /stopped at bbbbbbbbbbbb since 2026-11-28T13:08:00Z \(52 min ago\): 40 of 41 keys/,
      /→ headrace-bootstrapper approve --commit bbbbbbbbbbbb/,
    ],
  },
  {
    of: [],
    what: "a branch that was rewritten",
    fault: {
      node: NODE_BEFORE,
      record: {
        ...RECORD_BEFORE,
        stopped: { code: "git/diverged", message: "the branch was rewritten", commit: NEW },
      },
    },
    answer: /not in/,
    says: [/→ headrace-bootstrapper rewind --to bbbbbbbbbbbb/, /allowForcePush/],
  },
  {
    of: [],
    what: "a cluster that is held",
    fault: {
      node: NODE_BEFORE,
      record: {
        ...RECORD_BEFORE,
        hold: { commit: OLD, rulesCommit: null, by: "ann", reason: "freeze", until: null },
      },
    },
    answer: /not live: release in east/,
    says: [
      /held at aaaaaaaaaaaa by ann until release: freeze/,
      /→ headrace-bootstrapper release --cluster east/,
    ],
  },
  {
    of: [],
    what: "nothing was ever applied",
    fault: { record: "none", node: "none" },
    answer: /nothing is shown yet/,
    says: [/→ headrace-bootstrapper apply --cluster east/],
  },
]
