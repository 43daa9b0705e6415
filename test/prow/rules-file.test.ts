import { problemText } from "@headrace/shared/foundation/problem"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { describe, expect, it } from "vitest"

interface MistakeCase {
  name: string
  text: string
  /** Problems without the file's name, in order. */
  expect: string[]
}

const RULE = "config_updater:\n  maps:\n    a/*.yaml:\n      "

const BEGIN_ONE = '(Name a plugins.yaml, or begin one with "config_updater:".)'
const MISTAKES: MistakeCase[] = [
  {
    name: "a misspelt field",
    text: `${RULE}nmae: c\n`,
    expect: [
      '4:7: error: unknown field "nmae" in config_updater.maps."a/*.yaml" (Check the spelling: did you mean "name"?) [rules/unknown-field]',
    ],
  },
  {
    name: "a misspelt field of config_updater",
    text: "config_updater:\n  mapz: {}\n",
    expect: [
      '2:3: error: unknown field "mapz" in config_updater (Check the spelling: did you mean "maps"?) [rules/unknown-field]',
    ],
  },
  {
    name: "a misspelt config_updater, which would bring in Prow's default rules",
    text: "config_updator:\n  maps: {}\n",
    expect: [
      '1:1: error: there is no "config_updater", but "config_updator" (Check the spelling: did you mean "config_updater"?) [rules/unknown-field]',
    ],
  },
  {
    name: "maps outside config_updater",
    text: "plugins: {}\nmaps: {a: {name: b}}\n",
    expect: [
      '2:1: error: there is no "config_updater", but "maps" (Put it under "config_updater:".) [rules/unknown-field]',
    ],
  },
  {
    name: "a misspelt field of a cluster group",
    text: "config_updater:\n  cluster_groups:\n    g: {cluster: [a]}\n  maps: {a: {name: b}}\n",
    expect: [
      '3:9: error: unknown field "cluster" in config_updater.cluster_groups.g (Check the spelling: did you mean "clusters"?) [rules/unknown-field]',
    ],
  },
  {
    name: "a name that YAML 1.1 reads as a truth value",
    text: `${RULE}name: on\n`,
    expect: [
      '4:13: error: config_updater.maps."a/*.yaml".name: expected string, found boolean; put it in quotes if it is meant as text [rules/wrong-value]',
    ],
  },
  {
    name: "a namespace that YAML reads as a number",
    text: `${RULE}name: c\n      clusters: {b: [010]}\n`,
    expect: [
      '5:22: error: config_updater.maps."a/*.yaml".clusters.b[0]: expected string, found number; put it in quotes if it is meant as text [rules/wrong-value]',
    ],
  },
  {
    name: "clusters as a list",
    text: `${RULE}name: c\n      clusters: [b]\n`,
    expect: [
      '5:17: error: config_updater.maps."a/*.yaml".clusters: expected a mapping, found array [rules/wrong-value]',
    ],
  },
  {
    name: "name and partitions",
    text: `${RULE}name: c\n      partitioned_names: [d]\n`,
    expect: [
      '5:7: error: rule "a/*.yaml": "name" and "partitioned_names" exclude each other (Keep one of them.) [rules/name-and-partitions]',
    ],
  },
  {
    name: "neither name nor partitions",
    text: `${RULE}gzip: true\n`,
    expect: [
      '3:5: error: rule "a/*.yaml": the rule names no ConfigMap (Add "name" or "partitioned_names".) [rules/missing-name]',
    ],
  },
  {
    name: "a rule with nothing in it",
    text: "config_updater: {maps: {a: }}\n",
    expect: [
      '1:25: error: rule "a": the rule names no ConfigMap (Add "name" or "partitioned_names".) [rules/missing-name]',
    ],
  },
  {
    name: "an empty name among the partitions",
    text: `${RULE}partitioned_names: [a, ""]\n`,
    expect: ['4:7: error: rule "a/*.yaml": a partition has an empty name [rules/missing-name]'],
  },
  {
    name: "more partitions than a byte can distinguish",
    text: `${RULE}partitioned_names: [${Array.from({ length: 257 }, (_, index) => `p${index}`).join(", ")}]\n`,
    expect: [
      '4:7: error: rule "a/*.yaml": 257 partitions, but at most 256 can be distinguished [rules/too-many-partitions]',
    ],
  },
  {
    name: "clusters and groups",
    text: `${RULE}{name: c, clusters: {b: [x]}, cluster_groups: [g]}\n`,
    expect: [
      '4:37: error: rule "a/*.yaml": "clusters" and "cluster_groups" exclude each other (Keep one of them.) [rules/clusters-and-groups]',
    ],
  },
  {
    name: "an unknown group",
    text: "config_updater:\n  cluster_groups: {farm: {clusters: [b], namespaces: [x]}}\n  maps:\n    a: {name: c, cluster_groups: [frm]}\n",
    expect: [
      '4:35: error: rule "a": there is no cluster group "frm" (Check the spelling: did you mean "farm"?) [rules/unknown-group]',
    ],
  },
  {
    name: "a group called like a part of every object",
    text: `${RULE}{name: c, cluster_groups: [constructor]}\n`,
    expect: [
      '4:34: error: rule "a/*.yaml": there is no cluster group "constructor" (Remove it.) [rules/unknown-group]',
    ],
  },
  {
    name: "a group without namespaces",
    text: "config_updater:\n  cluster_groups: {arm: {clusters: [arm01]}}\n  maps:\n    a: {name: c, cluster_groups: [arm]}\n",
    expect: [
      '4:35: warning: rule "a": cluster group "arm" has no namespaces, so it has no effect (Add "namespaces" to the group, or take it off the rule.) [rules/empty-group]',
    ],
  },
  {
    name: "a cluster without namespaces",
    text: `${RULE}{name: c, clusters: {b: []}}\n`,
    expect: [
      '4:28: warning: rule "a/*.yaml": cluster "b" has no namespaces, so nothing is written there (Name them, or write [""] for the default namespace.) [rules/no-namespaces]',
    ],
  },
  {
    name: "the legacy namespace beside clusters",
    text: `${RULE}{name: c, namespace: x, clusters: {b: [x]}}\n`,
    expect: [
      '4:17: error: rule "a/*.yaml": "clusters" and the legacy "namespace" exclude each other (Keep one of them.) [rules/clusters-and-namespace]',
    ],
  },
  {
    name: "the legacy namespace",
    text: `${RULE}{name: c, namespace: boskos}\n`,
    expect: [
      '4:17: warning: rule "a/*.yaml": "namespace" is a legacy field that Prow no longer reads (Write clusters: {default: ["boskos"]}.) [rules/legacy-namespace]',
    ],
  },
  ...["", "/name", "a/b/c", "org/"].map((entry) => ({
    name: `the access list entry "${entry}"`,
    text: `${RULE}{name: c, allowed_repos: [org, "${entry}"]}\n`,
    expect: [
      `4:38: warning: rule "a/*.yaml": "${entry}" in allowed_repos can never match a repository (Write ORG or ORG/NAME.) [rules/wrong-repo]`,
    ],
  })),
  {
    name: "two mistakes in two lists",
    text: `${RULE}{name: c, allowed_repos: [""], denied_repos: [""]}\n`,
    expect: [
      '4:33: warning: rule "a/*.yaml": "" in allowed_repos can never match a repository (Write ORG or ORG/NAME.) [rules/wrong-repo]',
      '4:53: warning: rule "a/*.yaml": "" in denied_repos can never match a repository (Write ORG or ORG/NAME.) [rules/wrong-repo]',
    ],
  },
  {
    name: "an empty glob",
    text: 'config_updater: {maps: {"": {name: c}}}\n',
    expect: ['1:25: error: rule "": the glob cannot be used: it is empty [rules/wrong-glob]'],
  },
  {
    name: "a glob given twice",
    text: "config_updater:\n  maps:\n    a: {name: b}\n    a: {name: c}\n",
    expect: [
      '4:5: error: "a" appears twice in one mapping (Remove one of them; the first is in line 3.) [rules/duplicate-key]',
    ],
  },
  {
    name: "no rules at all, so that Prow's apply",
    text: "config_updater: {maps: {}}\n",
    expect: [
      '1:18: warning: "config_updater.maps" is empty, so Prow\'s defaults apply: config/prow/config.yaml, config/prow/plugins.yaml [rules/default-maps]',
    ],
  },
  {
    name: "broken YAML",
    text: "config_updater:\n  maps: [\n",
    expect: ["3:1: error: not valid YAML: deficient indentation [yaml/syntax]"],
  },
  {
    name: "an empty file",
    text: "",
    expect: [`1:1: error: the rules file is empty ${BEGIN_ONE} [rules/not-a-mapping]`],
  },
  {
    name: "a list",
    text: "- a\n",
    expect: [
      `1:1: error: the rules file is not a mapping with "config_updater" in it ${BEGIN_ONE} [rules/not-a-mapping]`,
    ],
  },
]

describe("a mistake in a rules file is named with its place", () => {
  it.each(MISTAKES)("$name", ({ text, expect: expected }) => {
    const { rules, problems } = parseRules(text, "p.yaml")

    expect(problems.map((problem) => problemText(problem).replace(/^p\.yaml:/, ""))).toEqual(expected)
    expect(rules === undefined).toBe(problems.some((problem) => problem.severity === "error"))
  })
})

describe("a rules file", () => {
  it("is read from a whole plugins.yaml, whatever else is there", () => {
    const text =
      "plugins: {org: [updateconfig]}\nunheard_of: [1]\nunheard_of: [2]\nconfig_updater: {maps: {a: {name: b}}}\n"

    const { rules, problems } = parseRules(text, "p.yaml")

    expect(problems).toEqual([])
    expect(rules?.rules).toMatchObject([{ glob: "a", names: ["b"], line: 4, column: 25 }])
  })

  it("may take rules and fields from anchors by merge keys, in declared order", () => {
    const text = `x-common: &common {gzip: yes, clusters: {b: [ns]}}
x-maps: &maps
  later: {name: later}
config_updater:
  maps:
    zebra: {<<: *common, name: z}
    <<: *maps
    404: {<<: [{name: over}, *common], gzip: off}
`
    const { rules, problems } = parseRules(text, "p.yaml")

    expect(problems).toEqual([])
    expect(rules?.rules.map(({ glob, names, gzip, line }) => ({ glob, names, gzip, line }))).toEqual([
      { glob: "zebra", names: ["z"], gzip: true, line: 6 },
      { glob: "later", names: ["later"], gzip: false, line: 3 },
      { glob: "404", names: ["over"], gzip: false, line: 8 },
    ])
  })

  it("takes of several merged mappings the first that has a rule, and places it there", () => {
    const text = `x-one: &one
  a: {name: first}
x-two: &two
  b: {name: b}
  a: {name: second}
config_updater: {maps: {<<: [*one, *two]}}
`
    const { rules } = parseRules(text, "p.yaml")

    expect(rules?.rules.map(({ glob, names, line }) => ({ glob, names, line }))).toEqual([
      { glob: "a", names: ["first"], line: 2 },
      { glob: "b", names: ["b"], line: 4 },
    ])
  })

  it("has the digest of its meaning: comments, order of fields and anchors do not count, order of rules does", () => {
    const digest = (text: string) => parseRules(text, "p.yaml").rules?.digest
    const plain = digest("config_updater:\n  maps:\n    a: {name: one, gzip: true}\n    b: {name: two}\n")

    expect(digest("# new\nconfig_updater: {maps: {a: {gzip: yes, name: one}, b: {name: two}}}")).toBe(plain)
    expect(digest("config_updater: {maps: {b: {name: two}, a: {name: one, gzip: true}}}")).not.toBe(plain)
    expect(digest("config_updater: {maps: {a: {name: one}, b: {name: two}}}")).not.toBe(plain)
  })
})
