import { reconcileFixture } from "@headrace/test/harness/reconcile-fixture"
import { expect, it } from "vitest"
import { canonicalJson } from "../foundation/canonical-json.ts"
import { sha256 } from "../foundation/digest.ts"
import type { ConfigMapWriter } from "../kube/config-map-api.ts"

/** What the API server gives an object, and each run another one. */
const GIVEN_BY_SERVER = /"(uid|creationTimestamp|resourceVersion)":"[^"]*",?/g
/** Of a later version, which notes on the record what it has added to the store. */
const NOTED_SINCE = /,"headrace\.dev\/new-objects":"(?:[^"\\]|\\.)*"/g

/** Notes each request with the digest of what it sends; reads of indexes apart, which a process remembers by now. */
function noting(kube: ConfigMapWriter, requests: string[]): ConfigMapWriter {
  function noted<Args extends unknown[], Result>(verb: string, call: (...args: Args) => Promise<Result>) {
    return (...args: Args): Promise<Result> => {
      const sent = args.filter((each) => !(each instanceof AbortSignal))
      if (verb === "get" && String(sent[1]).startsWith("index-")) return call(...args)
      requests.push(
        `${verb} ${sha256(canonicalJson(sent).replace(GIVEN_BY_SERVER, "").replace(NOTED_SINCE, ""))}`,
      )
      return call(...args)
    }
  }
  return {
    ...kube,
    get: noted("get", kube.get),
    list: noted("list", kube.list),
    listMetadata: noted("listMetadata", kube.listMetadata),
    create: noted("create", kube.create),
    replace: noted("replace", kube.replace),
    remove: noted("remove", kube.remove),
  }
}

/** Of commit 9f45ace, the last one that knew no stages, by this same test. */
const BEFORE_STAGES = {
  requests: 36,
  digest: "04a8786224e6dc6f4e2f4b886ee0e76417faceae622faeb66183f178c5da259d",
}

/** As they were then: the records hold a digest of the settings. */
const CLUSTERS = new Map([
  ["east", {}],
  ["west", {}],
])

it("sends without stages the requests of the version that knew none, byte for byte", async () => {
  const requests: string[] = []
  const here = reconcileFixture(
    { "a/x.txt": "one", "b/y.txt": "two" },
    { changeKube: (kube) => noting(kube, requests), settings: { clusters: CLUSTERS } },
  )
  await here.run()
  await here.run()
  here.commit({ "a/x.txt": "changed", "b/z.txt": "new" })
  await here.run()
  await here.run("full")
  here.commit({ "a/x.txt": undefined, "b/y.txt": undefined })
  await here.run()
  const sorted = requests.toSorted()
  expect({ requests: sorted.length, digest: sha256(sorted.join("\n")) }).toEqual(BEFORE_STAGES)
})
