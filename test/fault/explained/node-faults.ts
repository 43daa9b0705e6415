import { NODE_BEFORE, NOW, problem, TOKENS } from "../../harness/faulty-fleet.ts"
import type { ExplainedFault } from "./explained-fault.ts"

const SINCE = "2026-11-28T13:50:00Z"
const AGE = /since 2026-11-28T13:50:00Z \(10 min ago\)/

/** A node that shows the commit before, for this reason. */
function stays(code: string, message: string): ExplainedFault["fault"] {
  return { node: { ...NODE_BEFORE, problem: { code, message, since: SINCE } } }
}

/** A node that shows nothing, for this reason. */
function empty(code: string, message: string): ExplainedFault["fault"] {
  return { node: { revision: null, token: null, problem: { code, message, since: SINCE } } }
}

/** What keeps nodes from a commit that the record shows. */
export const NODE_FAULTS: readonly ExplainedFault[] = [
  {
    of: ["empty-node: waits as a real agent while the API server %s"],
    what: "a node that starts with nothing while the API server answers 503",
    fault: empty("kube/unavailable", "get ConfigMap ci/x: 503"),
    answer: /not live: .*node-1: get ConfigMap ci\/x: 503/,
    says: [AGE, /Check that the API server answers/, /→ headrace-bootstrapper explain node-1/],
  },
  {
    of: [
      "empty-node: says that there is no revision yet",
      "empty-node: shows the old revision at any write of a reconcile",
    ],
    what: "a node that starts during the first reconcile",
    fault: {
      ...empty("projection/waits", "there is no revision of release yet"),
      record: {
        commit: null,
        token: { epoch: 0, seq: 0 },
        history: [],
        intents: [{ token: TOKENS.at, commit: "b".repeat(40), rulesCommit: null, targets: "all" }],
      },
    },
    answer: /not live: release in east/,
    says: [/bbbbbbbbbbbb is being written: all targets/, /Wait: the lane's worker ends it/],
  },
  {
    of: ["empty-node: names as a real agent the target and the object that block it"],
    what: "an object of the store that is missing",
    fault: empty("projection/blocked", "target ci/x: there is no index headrace/i-1 (store/no-object)"),
    answer: /node-1: target ci\/x: there is no index headrace\/i-1/,
    says: [AGE, /\[projection\/blocked\]/, /→ headrace-bootstrapper explain node-1/],
  },
  {
    of: ["hostile-archives: unpacks no hostile archive"],
    what: "a shard that a node refuses",
    fault: stays("bundle/bad-entry", "shard x names ../etc/passwd"),
    answer: /node-1: shard x names \.\.\/etc\/passwd/,
    says: [AGE, /\[bundle\/bad-entry\]/],
  },
  {
    of: [],
    what: "a node that an operator has pinned",
    fault: stays("publish/pinned", "/jobs is pinned to 3: incident 43"),
    answer: /node-1: \/jobs is pinned to 3: incident 43/,
    says: [AGE, /in the agent's container on node-1/, /→ headrace-agent unpin \/jobs/],
  },
  {
    of: [],
    what: "a node that shows more than the record knows: a record was put back",
    fault: { node: { token: { epoch: 5, seq: 1 } } },
    answer: /node-1: it shows token 5\.1, larger than any that the record knows/,
    says: [
      /an earlier record was put back/,
      /A plugin starts one within a minute/,
      /→ headrace-bootstrapper apply/,
    ],
  },
  {
    of: [],
    what: "a node that shows an epoch that no clock comes to: the record before it was put back",
    fault: { node: { token: { epoch: NOW + 2 * 86_400_000, seq: 1 } } },
    answer: /node-1: it shows token 17\d+\.1, larger than any that the record knows/,
    says: [
      /Begin an epoch beyond it, then run release/,
      /→ headrace-bootstrapper rewind --to bbbbbbbbbbbb --epoch 17\d+1 --reason 'an earlier record was put back'/,
    ],
  },
  {
    of: [],
    what: "a revision that the agent's own guard holds back",
    fault: stays(
      "projection/guarded",
      "revision 3f9a1c0 of branch main would take away 4 of the 5 files that are shown",
    ),
    answer: /node-1: revision 3f9a1c0 of branch main would take away 4/,
    says: [AGE, /Correct the source; if it is meant/, /→ headrace-agent approve \/jobs 3f9a1c0/],
  },
  {
    of: [],
    what: "the only node is silent",
    fault: { node: "dead" },
    answer: /node-1: no report since/,
    says: [/kubectl --namespace headrace get pods/],
  },
  {
    of: [],
    what: "no node reports",
    fault: { node: "none" },
    answer: /no node reports/,
    says: [/no node reports/],
  },
  {
    of: [],
    what: "Leases that cannot be read",
    fault: { record: problem("kube/forbidden", "may not read ConfigMaps of headrace") },
    answer: /the record cannot be read: may not read ConfigMaps/,
    says: [/what it shows is not known/, /→ kubectl --kubeconfig/],
  },
]
