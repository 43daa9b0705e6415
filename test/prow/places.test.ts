import { describe, expect, it } from "vitest"
import { codesOf, type PlanCase, planCase, shown } from "./plan-case.ts"

const GROUPS =
  "cluster_groups:\n  farm: {clusters: [b1, b2], namespaces: [ci, ocp]}\n  lone: {clusters: [b3]}\n"
const CLUSTERS = new Map([
  ["app.ci", { namespaces: ["ci", "ocp"] }],
  ["build01", {}],
])

const PLACES: PlanCase[] = [
  {
    name: "without clusters: the default cluster's default namespace",
    rules: "maps: {a: {name: c}}",
    files: ["a"],
    context: { defaults: { cluster: "app.ci", namespace: "ci" } },
    expect: { "app.ci/ci/c": { a: "a" } },
  },
  {
    name: "an empty map of clusters counts as none",
    rules: "maps: {a: {name: c, clusters: {}}}",
    files: ["a"],
    expect: { "default/default/c": { a: "a" } },
  },
  {
    name: "the cluster called default is the operator's default cluster",
    rules: "maps: {a: {name: c, clusters: {default: [ns]}}}",
    files: ["a"],
    context: { defaults: { cluster: "app.ci", namespace: "ci" } },
    expect: { "app.ci/ns/c": { a: "a" } },
  },
  {
    name: "unless the operator has a cluster of that very name",
    rules: "maps: {a: {name: c, clusters: {default: [ns]}}}",
    files: ["a"],
    context: {
      defaults: { cluster: "app.ci", namespace: "ci" },
      clusters: new Map([...CLUSTERS, ["default", {}]]),
    },
    expect: { "default/ns/c": { a: "a" } },
  },
  {
    name: "an empty namespace is the default one, in any cluster",
    rules: "maps: {a: {name: c, clusters: {b1: [''], b2: ['', other]}}}",
    files: ["a"],
    expect: { "b1/default/c": { a: "a" }, "b2/default/c": { a: "a" }, "b2/other/c": { a: "a" } },
  },
  {
    name: "an empty namespace beside the default one by name is one place, and nothing is lost",
    rules: "maps: {a: {name: c, clusters: {default: ['', ci]}}}",
    files: ["a"],
    context: { defaults: { cluster: "default", namespace: "ci" } },
    expect: { "default/ci/c": { a: "a" } },
  },
  {
    name: "two rules, one with the default namespace and one with its name, keep both files",
    rules: "maps:\n  a: {name: c}\n  b: {name: c, clusters: {default: [default]}}",
    files: ["a", "b"],
    expect: { "default/default/c": { a: "a", b: "b" } },
  },
  {
    name: "a group is all its clusters in all its namespaces",
    rules: `${GROUPS}maps: {a: {name: c, cluster_groups: [farm]}}`,
    files: ["a"],
    expect: { "b1/ci/c": { a: "a" }, "b1/ocp/c": { a: "a" }, "b2/ci/c": { a: "a" }, "b2/ocp/c": { a: "a" } },
  },
  {
    name: "two groups that share a place give it once",
    rules:
      "cluster_groups:\n  g: {clusters: [b], namespaces: [ns]}\n  h: {clusters: [b], namespaces: [ns, m]}\nmaps: {a: {name: c, cluster_groups: [g, h]}}",
    files: ["a"],
    expect: { "b/m/c": { a: "a" }, "b/ns/c": { a: "a" } },
  },
  {
    name: "a group's empty namespace is the default one",
    rules:
      "cluster_groups:\n  g: {clusters: [b], namespaces: ['']}\nmaps: {a: {name: c, cluster_groups: [g]}}",
    files: ["a"],
    expect: { "b/default/c": { a: "a" } },
  },
  {
    name: "a group without namespaces has no effect; the other group of the rule counts",
    rules: `${GROUPS}maps: {a: {name: c, cluster_groups: [lone, farm]}}`,
    files: ["a"],
    expect: { "b1/ci/c": { a: "a" }, "b1/ocp/c": { a: "a" }, "b2/ci/c": { a: "a" }, "b2/ocp/c": { a: "a" } },
  },
  {
    name: "the full path stays the key where groups are used",
    rules:
      "cluster_groups: {g: {clusters: [b], namespaces: [ns]}}\nmaps: {'x/**': {name: c, cluster_groups: [g], use_full_path_as_key: true}}",
    files: ["x/y/a"],
    expect: { "b/ns/c": { "x-y-a": "x/y/a" } },
  },
  {
    name: "the legacy namespace",
    rules: "maps: {boskos/resources.yaml: {name: resources, namespace: boskos}}",
    files: ["boskos/resources.yaml"],
    expect: { "default/boskos/resources": { "resources.yaml": "boskos/resources.yaml" } },
  },
  {
    name: "the legacy additional namespaces come on top of the default one",
    rules: "maps: {a: {name: c, additional_namespaces: [one, two]}}",
    files: ["a"],
    expect: { "default/default/c": { a: "a" }, "default/one/c": { a: "a" }, "default/two/c": { a: "a" } },
  },
  {
    name: "an unknown cluster fails there, and the others carry on",
    rules: "maps: {a: {name: c, clusters: {build01: [ci], biuld02: [ci]}}}",
    files: ["a"],
    context: { clusters: CLUSTERS },
    expect: { "build01/ci/c": { a: "a" } },
    problems: ["plan/unknown-cluster"],
  },
  {
    name: "a cluster that is left to another program is no mistake, and its files go nowhere else",
    rules:
      "maps: {a: {name: c, clusters: {build01: [ci], build02: [ci], vault: [one, two]}}, b*: {name: d, clusters: {build03: [ci]}}, bb: {name: e, clusters: {app.ci: [ci]}}}",
    files: ["a", "bb"],
    context: { clusters: CLUSTERS, otherClusters: ["build*", "vault"] },
    expect: { "app.ci/ci/e": {}, "build01/ci/c": { a: "a" } },
  },
  {
    name: "a namespace outside the operator's list fails there",
    rules: "maps: {a: {name: c, clusters: {app.ci: [ci, kube-system]}}}",
    files: ["a"],
    context: { clusters: CLUSTERS },
    expect: { "app.ci/ci/c": { a: "a" } },
    problems: ["plan/namespace-not-allowed"],
  },
  {
    name: "Headrace's own namespace is nobody's target",
    rules: "maps: {a: {name: c, clusters: {default: [headrace, mine]}}}",
    files: ["a"],
    context: { reservedNamespaces: ["headrace-store", "headrace"] },
    expect: { "default/mine/c": { a: "a" } },
    problems: ["plan/reserved-namespace"],
  },
]

const PARTITIONS: PlanCase[] = [
  {
    name: "a key goes to the partition that sha256(key)[0] modulo their count names",
    rules: "maps: {'j/*': {name: '', partitioned_names: [p0, p1]}}",
    files: ["j/a", "j/b", "j/c", "j/d"],
    // sha256 begins with ca (a), 3e (b), 2e (c) and 18 (d): all even.
    expect: { "default/default/p0": { a: "j/a", b: "j/b", c: "j/c", d: "j/d" }, "default/default/p1": {} },
  },
  {
    name: "three partitions",
    rules: "maps: {'j/*': {partitioned_names: [p0, p1, p2]}}",
    files: ["j/a", "j/b", "j/c", "j/d"],
    // 202 % 3 = 1, 62 % 3 = 2, 46 % 3 = 1, 24 % 3 = 0.
    expect: {
      "default/default/p0": { d: "j/d" },
      "default/default/p1": { a: "j/a", c: "j/c" },
      "default/default/p2": { b: "j/b" },
    },
  },
  {
    name: "the partition is chosen by the key, not by the path",
    rules: "maps: {'j/**': {partitioned_names: [p0, p1, p2], use_full_path_as_key: true}}",
    files: ["j/a"],
    // sha256("j-a") begins with 7c: 124 % 3 = 1.
    expect: { "default/default/p0": {}, "default/default/p1": { "j-a": "j/a" }, "default/default/p2": {} },
  },
  {
    name: "a single partition takes all",
    rules: "maps: {'j/*': {partitioned_names: [only]}}",
    files: ["j/a", "j/b"],
    expect: { "default/default/only": { a: "j/a", b: "j/b" } },
  },
  {
    name: "a partition that nothing goes to is planned empty",
    rules: "maps: {'j/*': {partitioned_names: [p0, p1]}}",
    files: [],
    expect: { "default/default/p0": {}, "default/default/p1": {} },
  },
  {
    name: "partitions at several places",
    rules: "maps: {'j/*': {partitioned_names: [p0, p1], clusters: {b1: [ns], b2: [ns]}}}",
    files: ["j/a"],
    expect: { "b1/ns/p0": { a: "j/a" }, "b1/ns/p1": {}, "b2/ns/p0": { a: "j/a" }, "b2/ns/p1": {} },
  },
  {
    name: "two rules may share a partition's ConfigMap",
    rules: "maps:\n  'j/*': {partitioned_names: [p0, p1]}\n  extra: {name: p1}",
    files: ["j/a", "extra"],
    expect: { "default/default/p0": { a: "j/a" }, "default/default/p1": { extra: "extra" } },
  },
  {
    name: "a partition too large fails alone",
    rules: "maps: {'j/*': {partitioned_names: [p0, p1, p2]}}",
    files: { "j/a": 2 ** 20, "j/b": 1, "j/d": 1 },
    expect: { "default/default/p0": { d: "j/d" }, "default/default/p2": { b: "j/b" } },
    problems: ["plan/too-large"],
  },
]

const GZIP: PlanCase[] = [
  {
    name: "the global word compresses every value",
    rules: "gzip: true\nmaps:\n  a: {name: c}\n  b: {name: d}",
    files: ["a", "b"],
    expect: { "default/default/c": { a: "a (gzip)" }, "default/default/d": { b: "b (gzip)" } },
  },
  {
    name: "a rule may opt out of it",
    rules: "gzip: true\nmaps:\n  a: {name: c}\n  b: {name: c, gzip: false}",
    files: ["a", "b"],
    expect: { "default/default/c": { a: "a (gzip)", b: "b" } },
  },
  {
    name: "a rule may opt in alone",
    rules: "maps:\n  a: {name: c}\n  b: {name: c, gzip: true}",
    files: ["a", "b"],
    expect: { "default/default/c": { a: "a", b: "b (gzip)" } },
  },
  {
    name: "an explicit false beside a global false changes nothing",
    rules: "gzip: false\nmaps: {a: {name: c, gzip: false}}",
    files: ["a"],
    expect: { "default/default/c": { a: "a" } },
  },
  {
    name: "Prow's default rules are compressed by the global word too",
    rules: "gzip: true",
    files: ["config/prow/config.yaml", "config/prow/plugins.yaml"],
    expect: {
      "default/default/config": { "config.yaml": "config/prow/config.yaml (gzip)" },
      "default/default/plugins": { "plugins.yaml": "config/prow/plugins.yaml (gzip)" },
    },
  },
]

describe.each([
  ["places", PLACES],
  ["partitions", PARTITIONS],
  ["gzip", GZIP],
] as const)("%s", (_topic, cases) => {
  it.each(cases)("$name", (given) => {
    const plan = planCase(given)

    expect(shown(plan)).toEqual(given.expect)
    expect(codesOf(plan.problems)).toEqual(given.problems ?? [])
  })
})
