import { rulesOf } from "@headrace/test/prow/plan-case"
import { describe, expect, it } from "vitest"
import type { PlanContext } from "./plan-context.ts"
import { planTargets } from "./plan-targets.ts"

const CONTEXT: PlanContext = {
  defaults: { cluster: "app.ci", namespace: "ci" },
  reservedNamespaces: ["headrace"],
}

/** The hints against what these places of one rule are, each once. */
function hintsOf(places: string, context: Partial<PlanContext>): (string | undefined)[] {
  const rules = rulesOf(`maps: {a: {name: c, clusters: ${places}}}`)
  const { problems } = planTargets(rules, { files: [], problems: [] }, { ...CONTEXT, ...context })
  return [...new Set(problems.map(({ hint }) => hint))]
}

function openTo(...namespaces: string[]): Partial<PlanContext> {
  return { clusters: new Map([["app.ci", { namespaces }]]) }
}

describe("a namespace that is refused", () => {
  it("is hinted with the list that opens all that the rules name in its cluster", () => {
    const places = "{app.ci: [ci, test-pods, ocp, headrace]}"
    const [, ...hints] = hintsOf(places, openTo("ci"))
    const line = "namespaces: [ci, ocp, test-pods]"
    expect(hints).toEqual([`To open it, write in the cluster's settings: ${line}.`])
    expect(hintsOf(places, openTo("ci", "ocp", "test-pods"))).toEqual([
      "Choose another namespace for this ConfigMap.",
    ])
  })

  it("is hinted with the nearest one beside, and in YAML that reads back", () => {
    expect(hintsOf("{app.ci: [test-pod]}", openTo("test-pods"))).toEqual([
      'Check the spelling: did you mean "test-pods"? To open it, write in the cluster\'s settings: namespaces: [test-pod, test-pods].',
    ])
    expect(hintsOf("{app.ci: [kube-system, '404']}", openTo("*-a", "*"))).toEqual([
      expect.stringContaining('own: namespaces: ["*", "*-a", kube-system].'),
    ])
    expect(hintsOf("{app.ci: ['404', 'true']}", openTo("ci"))).toEqual([
      expect.stringContaining('namespaces: ["404", ci, "true"].'),
    ])
  })
})

describe("a cluster that is not listed", () => {
  it("is hinted with both lists that it can go to, and with the nearest one first", () => {
    const add = '"clusters", or to "otherClusters" where another program writes it.'
    expect(hintsOf("{vault: [ci]}", openTo("ci"))).toEqual([`Add it to ${add}`])
    expect(hintsOf("{app.c: [ci]}", openTo("ci"))).toEqual([
      `Check the spelling: did you mean "app.ci"? Otherwise add it to ${add}`,
    ])
  })

  it("is of the kubeconfigs where Prow's flags say so", () => {
    const rules = rulesOf("maps: {a: {name: c, clusters: {vault: [ci]}}}")
    const context = { ...CONTEXT, ...openTo("ci"), clustersFrom: "kubeconfigs" as const }
    expect(planTargets(rules, { files: [], problems: [] }, context).problems).toMatchObject([
      {
        message: 'there is no cluster "vault" among the contexts of the kubeconfigs',
        hint: "Add a kubeconfig with a context of this name.",
      },
    ])
  })
})
