import { describe, expect, it } from "vitest"
import { isKeptBySystem, isListed, namespacesLine, namespacesToSearch } from "./open-namespaces.ts"

describe("isListed", () => {
  it.each([
    ["ci", ["ci"], true],
    ["ci-1", ["ci"], false],
    ["team-a", ["team-*"], true],
    ["team-", ["team-*"], true],
    ["my-team-a", ["team-*"], false],
    ["a-team-b", ["*-team-*"], true],
    ["a-team", ["*-team-*"], false],
    ["ab", ["a*b"], true],
    ["a", ["a*a"], false],
    ["anything", ["*"], true],
    ["anything", [], false],
    ["kube-system", ["*"], false],
    ["kube-system", ["*-system"], false],
    ["kube-system", ["k*"], false],
    ["kube-system", ["*", "kube-*"], true],
    ["kube-system", ["kube-system"], true],
    ["kubeflow", ["*"], true],
  ])("%s by %j: %s", (namespace, namespaces, open) => {
    expect(isListed(namespace, namespaces)).toBe(open)
  })
})

it("knows what a pattern does not open since Kubernetes keeps it", () => {
  expect(isKeptBySystem("kube-public", ["*"])).toBe(true)
  expect(isKeptBySystem("kube-public", ["ci"])).toBe(false)
})

it("writes the line that opens namespaces, each once and in order", () => {
  expect(namespacesLine(["ocp", "ci", "ocp"])).toBe("namespaces: [ci, ocp]")
})

it("searches everywhere where namespaces are not named one by one", () => {
  expect([undefined, ["team-*"], ["ci", "ocp"]].map(namespacesToSearch)).toEqual([[""], [""], ["ci", "ocp"]])
})
