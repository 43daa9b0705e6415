import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { EARLIER, today, withEarlierPrograms } from "./earlier-programs.ts"
import { type Fleet, RULES, withFleet } from "./fleet.ts"

/**
 * Writes test/fixtures/cluster-of-format-1.json: what the writer of the earlier commit leaves in a cluster, and the
 * branch that it followed, for the short form. `node --conditions=source test/mixed/write-fixture.ts`
 */
const FILE = join(import.meta.dirname, "../fixtures/cluster-of-format-1.json")
const many = (from: number, text: string | null) =>
  Object.fromEntries(Array.from({ length: 30 - from }, (_, at) => [`jobs/f${from + at}`, text]))

await withEarlierPrograms(EARLIER, async (earlier) => {
  await withFleet({ earlier, today }, async (fleet) => {
    await fleet.settings({ guard: { atLeast: 0 } })
    await fleet.commit({ "rules.yaml": RULES, "jobs/a": "one", ...many(0, "x") })
    await fleet.run("earlier", "apply", "--direct")
    const states: { [state: string]: ConfigMap[] } = { rest: await objectsOf(fleet) }
    await fleet.commit({ "jobs/a": "two" })
    await fleet.dieWithIntent("earlier")
    states.intent = await objectsOf(fleet)
    await fleet.run("earlier", "apply", "--direct")
    const commit = await fleet.commit(many(5, null))
    await fleet.run("earlier", "apply", "--direct")
    await fleet.run("earlier", "approve", "--commit", commit, "--cluster", "east", "--source", "release")
    states.approved = await objectsOf(fleet)
    const bundle = join(fleet.repo.scratch, "branch.bundle")
    await fleet.repo.git("bundle", "create", "--quiet", bundle, "main")
    writeFileSync(
      FILE,
      `${JSON.stringify({ bundle: readFileSync(bundle).toString("base64"), states }, null, 1)}\n`,
    )
  })
})

/** Without what the API server gives each object. */
async function objectsOf(fleet: Fleet): Promise<ConfigMap[]> {
  const items = await fleet.configMaps()
  return items.map(({ data, binaryData, immutable, metadata: { namespace, name, labels, annotations } }) => ({
    metadata: { namespace, name, ...(labels && { labels }), ...(annotations && { annotations }) },
    ...(data && { data }),
    ...(binaryData && { binaryData }),
    ...(immutable !== undefined && { immutable }),
  }))
}
