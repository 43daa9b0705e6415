import { sha256 } from "@headrace/shared/foundation/digest"
import { expect, it } from "vitest"
import { type ReconcileFixture, reconcileFixture } from "../harness/reconcile-fixture.ts"

/** What the readers of named ConfigMaps see, as docs/consumers.md says. */
const FILES = { "a/x.txt": "one", "b/y.txt": "why" }

/** What a Reloader-like watcher compares: by its settings the version or the data. */
async function seen(here: ReconcileFixture, name: string): Promise<{ version: string; data: string }> {
  const object = await here.kube.get("ci", name)
  const data = sha256(Buffer.from(JSON.stringify([object?.data, object?.binaryData])))
  return { version: object?.metadata.resourceVersion ?? "", data }
}

it("a watcher that restarts on a change is woken once for a commit, and by the ConfigMaps that it changes alone", async () => {
  const here = reconcileFixture(FILES)
  await here.run()
  for (const text of ["two", "three", "four"]) {
    const before = { alpha: await seen(here, "alpha"), beta: await seen(here, "beta") }
    here.commit({ "a/x.txt": text })
    here.writes.length = 0

    await here.run()
    await here.run("full")

    expect(here.writes.filter((write) => /alpha|beta/.test(write))).toEqual(["replace alpha"])
    expect((await seen(here, "alpha")).data).not.toBe(before.alpha.data)
    expect(await seen(here, "beta")).toEqual(before.beta)
  }
})

it("a program that applies the same ConfigMap is reported each time, and what it put beside the data stays", async () => {
  const here = reconcileFixture(FILES)
  await here.run()
  const tracking = { "argocd.argoproj.io/tracking-id": "app:/ConfigMap:ci/alpha" }
  for (let round = 0; round < 3; round++) {
    const alpha = await here.kube.get("ci", "alpha")
    if (alpha === undefined) throw new Error("alpha is gone")
    const annotations = { ...alpha.metadata.annotations, ...tracking }
    await here.kube.replace({
      ...alpha,
      metadata: { ...alpha.metadata, annotations },
      data: { ...alpha.data, "x.txt": "theirs" },
    })

    const outcome = await here.run("full")

    expect(outcome).toMatchObject({ result: "applied", foreign: [{ target: "ci/alpha" }] })
    expect(await here.data("alpha")).toMatchObject({ "x.txt": "one" })
    expect((await here.kube.get("ci", "alpha"))?.metadata.annotations).toMatchObject(tracking)
  }
})

it("a ConfigMap that another program has made is not taken over", async () => {
  const here = reconcileFixture(FILES)
  const labels = { "kustomize.toolkit.fluxcd.io/name": "apps" }
  const theirs = { metadata: { namespace: "ci", name: "alpha", labels }, data: { "x.txt": "theirs" } }
  await here.kube.create(theirs)

  const outcome = await here.run()

  expect(outcome.failed).toMatchObject([{ target: "ci/alpha" }])
  expect(await here.data("alpha")).toEqual({ "x.txt": "theirs" })
})
