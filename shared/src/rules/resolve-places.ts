import { suggestion } from "../foundation/closest-word.ts"
import type { ErrorCode } from "../foundation/errors.ts"
import type { Problem } from "../foundation/problem.ts"
import type { Place } from "./rule.ts"
import { type RuleContext, ruleError, ruleWarning } from "./rule-context.ts"

/** Prow's word for the cluster that it runs in; the operator configures what it means. */
export const DEFAULT_CLUSTER = "default"

interface Resolved {
  places: Place[]
  problems: Problem[]
}

/**
 * Where a rule's ConfigMap goes: its `clusters`, or all clusters and namespaces of its `cluster_groups`, or
 * the legacy namespaces, or else the default cluster's default namespace. Each place once.
 */
export function resolvePlaces(context: RuleContext): Resolved {
  const { spec } = context
  const groups = spec.cluster_groups ?? []
  const clusters = Object.entries(spec.clusters ?? {})
  const legacy = Boolean(spec.namespace) || (spec.additional_namespaces ?? []).length > 0
  if (groups.length > 0 && clusters.length > 0) {
    return refuse(context, "cluster_groups", "rules/clusters-and-groups", '"clusters" and "cluster_groups"')
  }
  if (legacy && (groups.length > 0 || clusters.length > 0)) {
    const field = spec.namespace ? "namespace" : "additional_namespaces"
    return refuse(context, field, "rules/clusters-and-namespace", `"clusters" and the legacy "${field}"`)
  }
  if (groups.length > 0) return placesOfGroups(context, groups)
  if (legacy) return placesOfLegacy(context)
  if (clusters.length > 0) return placesOfClusters(context, clusters)
  return { places: [{ cluster: DEFAULT_CLUSTER, namespace: "" }], problems: [] }
}

function refuse(context: RuleContext, field: string, code: ErrorCode, pair: string): Resolved {
  const message = `${pair} exclude each other`
  return { places: [], problems: [ruleError(context, [field], code, message, "Keep one of them.")] }
}

function placesOfClusters(
  context: RuleContext,
  clusters: readonly [string, readonly string[] | null | undefined][],
): Resolved {
  const problems = clusters
    .filter(([, namespaces]) => (namespaces ?? []).length === 0)
    .map(([cluster]) =>
      ruleWarning(
        context,
        ["clusters", cluster],
        "rules/no-namespaces",
        `cluster "${cluster}" has no namespaces, so nothing is written there`,
        'Name them, or write [""] for the default namespace.',
      ),
    )
  const places = clusters.flatMap(([cluster, namespaces]) =>
    (namespaces ?? []).map((namespace) => ({ cluster, namespace })),
  )
  return { places: unique(places), problems }
}

function placesOfGroups(context: RuleContext, names: readonly string[]): Resolved {
  const known = context.updater.cluster_groups ?? {}
  const places: Place[] = []
  const problems: Problem[] = []
  names.forEach((name, index) => {
    const path = ["cluster_groups", index]
    if (!Object.hasOwn(known, name)) {
      const hint = suggestion(name, Object.keys(known))
      const message = `there is no cluster group "${name}"`
      problems.push(ruleError(context, path, "rules/unknown-group", message, hint))
      return
    }
    const group = known[name]
    const inGroup = (group?.clusters ?? []).flatMap((cluster) =>
      (group?.namespaces ?? []).map((namespace) => ({ cluster, namespace })),
    )
    if (inGroup.length === 0) {
      const lacking = (group?.clusters ?? []).length === 0 ? "clusters" : "namespaces"
      const message = `cluster group "${name}" has no ${lacking}, so it has no effect`
      const hint = `Add "${lacking}" to the group, or take it off the rule.`
      problems.push(ruleWarning(context, path, "rules/empty-group", message, hint))
    }
    places.push(...inGroup)
  })
  return { places: unique(places), problems }
}

/** Fields that Prow dropped on 2020-11-09 and has silently ignored since (kubernetes/test-infra 62b5ded808). */
function placesOfLegacy(context: RuleContext): Resolved {
  const { namespace, additional_namespaces: more } = context.spec
  const namespaces = [namespace ?? "", ...(more ?? [])]
  const field = namespace ? "namespace" : "additional_namespaces"
  const warning = ruleWarning(
    context,
    [field],
    "rules/legacy-namespace",
    `"${field}" is a legacy field that Prow no longer reads`,
    `Write clusters: {${DEFAULT_CLUSTER}: ${JSON.stringify(namespaces)}}.`,
  )
  const places = namespaces.map((name) => ({ cluster: DEFAULT_CLUSTER, namespace: name }))
  return { places: unique(places), problems: [warning] }
}

function unique(places: readonly Place[]): Place[] {
  return [...new Map(places.map((place) => [`${place.cluster}/${place.namespace}`, place])).values()]
}
