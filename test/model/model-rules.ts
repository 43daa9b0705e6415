import type { BrokenPath, Files } from "./model-repository.ts"

/** One rule of the model, in a form of its own: what the tests expect never comes from the code under test. */
interface ModelRule {
  /** Folder whose `.txt` files it takes; "" is every file that no earlier rule takes. */
  folder: string
  name: string
  gzip?: boolean
  view?: boolean
  places: readonly (readonly [cluster: string, namespace: string])[]
}

/** What a target should hold. */
export interface ExpectedTarget {
  view: boolean
  /** True: some of it is not known, or its place is not allowed, so that it keeps what it holds. */
  refused: boolean
  /** Key to content. */
  keys: ReadonlyMap<string, string>
}

export const CLUSTERS = ["east", "west"] as const
export const NAMESPACES = ["ci", "ops"] as const
export const RULES_PATH = "rules.yaml"
export const BAD_RULES = "config_updater: ["

const BOTH = [
  ["east", "ci"],
  ["west", "ci"],
] as const
const ALPHA = { name: "alpha", places: BOTH }
const BETA = { name: "beta", gzip: true, places: [["east", "ops"]] as const }

const VARIANTS: readonly (readonly ModelRule[])[] = [
  [
    { folder: "a", ...ALPHA },
    { folder: "b", ...BETA },
  ],
  [
    { folder: "a", ...BETA },
    { folder: "b", ...ALPHA },
  ],
  [{ folder: "a", ...ALPHA }],
  [
    { folder: "a", ...ALPHA },
    { folder: "", name: "gamma", view: false, places: BOTH },
  ],
  [
    { folder: "a", ...ALPHA },
    { folder: "b", ...BETA },
    // Places that rules may not choose: Headrace's own namespace, and one outside the operator's list.
    { folder: "c", name: "evil", places: [["east", "headrace"]] },
    { folder: "d", name: "stray", places: [["east", "kube-system"]] },
  ],
]

/** More targets than a record has room to list as failed, each with a folder of its own. */
const MANY = 40
export const MANY_FOLDERS: readonly string[] = Array.from({ length: MANY }, (_, index) => `m/${index}`)
const MANY_TARGETS: readonly ModelRule[] = [
  { folder: "a", ...ALPHA },
  ...MANY_FOLDERS.map((folder, index) => ({
    folder,
    name: `many-${index}`,
    places: [["east", "ops"]] as const,
  })),
]
const ALL_VARIANTS = [...VARIANTS, MANY_TARGETS]

export const MANY_RULES: string = rulesText(MANY_TARGETS)

/** The texts of all variants of the rules; then one that does not parse; then the one with many targets. */
export const RULE_TEXTS: readonly string[] = [...VARIANTS.map(rulesText), BAD_RULES, MANY_RULES]

/** Rules that settings may name in place of the others: they give none of the others' targets anything. */
export const FEWER_RULES_PATH = "fewer.yaml"
const FEWER: readonly ModelRule[] = [{ folder: "z", name: "zeta", places: BOTH }]
export const FEWER_RULES: string = rulesText(FEWER)

const TOOL_VARIANTS: readonly (readonly ModelRule[])[] = [
  [{ folder: "t", name: "tools", places: BOTH }],
  [{ folder: "t", name: "tools", gzip: true, places: BOTH }],
  [{ folder: "t", name: "kit", places: BOTH }],
]

/** The texts of the rules of the second source, which come from a repository of their own. */
export const TOOL_RULE_TEXTS: readonly string[] = TOOL_VARIANTS.map(rulesText)

/** Every text of rules to what it means. */
const MEANING = new Map(
  [...ALL_VARIANTS, FEWER, ...TOOL_VARIANTS].map((rules) => [rulesText(rules), rules] as const),
)

/** The files of a revision, and the rules that say what becomes of them. */
export interface RuledFiles {
  files: Files
  broken: readonly BrokenPath[]
  /** Where the settings let rules place targets. */
  namespaces: readonly string[]
  rules: string
}

type Expected = ReadonlyMap<string, ExpectedTarget>

/** By the files of a commit, which never change, by the text of the rules, and by what else decides. */
const EXPECTED = new WeakMap<Files, Map<string, Map<string, Expected | undefined>>>()

/** What a cluster's targets should hold: `namespace/name` to keys. Undefined when the rules do not parse. */
export function expectedTargets(ruled: RuledFiles, cluster: string): Expected | undefined {
  const { files, namespaces, rules } = ruled
  const ofFiles = EXPECTED.get(files) ?? new Map<string, Map<string, Expected | undefined>>()
  EXPECTED.set(files, ofFiles)
  const known = ofFiles.get(rules) ?? new Map<string, Expected | undefined>()
  ofFiles.set(rules, known)
  const place = `${cluster} ${namespaces.join(" ")}`
  if (!known.has(place)) known.set(place, expectedFrom(ruled, cluster))
  return known.get(place)
}

function expectedFrom(
  { files, broken, namespaces, rules: text }: RuledFiles,
  cluster: string,
): Expected | undefined {
  const rules = MEANING.get(text)
  if (rules === undefined) return undefined
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
  const targets = new Map<string, ExpectedTarget>()
  for (const [place, rule, namespace] of placesIn(rules, cluster)) {
    const keys = new Map<string, string>()
    for (const [path, content] of sorted) {
      if (firstOf(rules, path) === rule) keys.set(path.slice(path.lastIndexOf("/") + 1), content)
    }
    const isBroken = broken.some(({ path, beneath }) =>
      beneath ? takes(rule, path) : firstOf(rules, path) === rule,
    )
    targets.set(place, {
      view: rule.view ?? true,
      refused: isBroken || !namespaces.includes(namespace),
      keys,
    })
  }
  return targets
}

/** Where rules place targets in a cluster, the model's own namespaces alone: others can never hold any. */
function* placesIn(
  rules: readonly ModelRule[],
  cluster: string,
): Iterable<[place: string, ModelRule, namespace: string]> {
  for (const rule of rules) {
    for (const [where, namespace] of rule.places) {
      const allowed = NAMESPACES.some((known) => known === namespace)
      if (where === cluster && allowed) yield [`${namespace}/${rule.name}`, rule, namespace]
    }
  }
}

function firstOf(rules: readonly ModelRule[], path: string): ModelRule | undefined {
  return rules.find((candidate) => takes(candidate, path))
}

function takes(rule: ModelRule, path: string): boolean {
  if (!path.endsWith(".txt")) return false
  return rule.folder === "" || path.slice(0, path.lastIndexOf("/")) === rule.folder
}

function rulesText(rules: readonly ModelRule[]): string {
  const maps = rules.map((rule) => {
    const clusters = Map.groupBy(rule.places, ([cluster]) => cluster)
    const places = [...clusters].map(([cluster, list]) => [cluster, list.map(([, namespace]) => namespace)])
    const glob = rule.folder === "" ? "**/*.txt" : `${rule.folder}/*.txt`
    const { name, gzip = false, view = true } = rule
    const body = { name, gzip, clusters: Object.fromEntries(places), ...(view ? {} : { view }) }
    return `    ${JSON.stringify(glob)}: ${JSON.stringify(body)}`
  })
  return `config_updater:\n  maps:\n${maps.join("\n")}\n`
}
