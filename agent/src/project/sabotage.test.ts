import fs from "node:fs"
import { join } from "node:path"
import { ALL, type Layout, REMOVALS, remove } from "@headrace/test/harness/sabotage"
import { filesBelow } from "@headrace/test/harness/shown-files"
import { USURPERS } from "@headrace/test/harness/usurpers"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { NAMESPACE, SOURCE, writeRevision } from "@headrace/test/harness/write-revision"
import { afterAll, describe, expect, it } from "vitest"

const ROOT = process.getuid?.() === 0
/** In the long form the agent looks as often as it does by itself, and the test prints how long it took. */
const LONG = process.env.HEADRACE_SABOTAGE === "long"
const LOOK_EVERY = LONG ? undefined : 100

/** What a reader gets who is no root; fails where permissions or owner are not as they are published. */
async function texts(path: string, layout: Layout): Promise<Record<string, string>> {
  if (layout === "file") return { a: readAsPublished(path) }
  const shown = layout === "links" ? fs.realpathSync(join(path, "..data")) : path
  // In links the folder around its store is the operator's.
  const way = layout === "links" ? [join(shown, ".."), join(shown, "../..")] : []
  for (const folder of [...way, shown, join(shown, "d")]) checkStatus(folder, 0o755)
  const below = await filesBelow(shown)
  readAsPublished(join(path, "a"))
  return Object.fromEntries(Object.entries(below).filter(([name]) => !name.startsWith("..")))
}

function readAsPublished(file: string): string {
  checkStatus(file, 0o444)
  return fs.readFileSync(file, "utf8")
}

function checkStatus(path: string, expected: number): void {
  const { mode, uid } = fs.statSync(path)
  if ((mode & 0o777) !== expected || uid !== process.geteuid?.()) throw new Error(`${path} has mode ${mode}`)
}

function filesAt(seq: number, layout: Layout): Record<string, string> {
  return layout === "file" ? { a: `${seq}` } : { a: `${seq}`, "d/b": "same" }
}

/** A cluster, the settings of an agent that shows it at a path, and what writes its next revision. */
function siteOf(path: string, layout: Layout) {
  const { kube } = createTestCluster()
  const yaml = `version: 1
record: ${NAMESPACE}/${SOURCE}
projections:
  shown: {path: ${path}, layout: ${layout}, durability: none, keep: {age: 0s}, from: [{configMap: ci/jobs, names: paths}]}
`
  const publish = (seq: number) => writeRevision(kube, { seq, targets: { "ci/jobs": filesAt(seq, layout) } })
  return { kube, yaml, publish }
}

const table: string[] = []
afterAll(() => {
  if (LONG)
    process.stdout.write(`${["| layout | what | repaired after |", "|---|---|---|", ...table].join("\n")}\n`)
})

const CASES = [...REMOVALS, ...USURPERS]
  .flatMap((sabotage) => sabotage.layouts.map((layout) => ({ ...sabotage, layout })))
  .filter(({ needsRoot, isLong }) => (ROOT || needsRoot !== true) && (LONG || isLong !== true))

describe("under a running agent", () => {
  it.each(CASES)(
    "$layout: when $what, it is noticed and repaired, and the next change shows",
    async ({ layout, what, obstructs, does }) => {
      await withFolder(async (folder) => {
        const at = join(folder, "at")
        const path = join(at, "shown")
        const { kube, yaml, publish } = siteOf(path, layout)
        await publish(1)
        let undo: (() => void) | undefined
        const ports = LOOK_EVERY === undefined ? {} : { lookEvery: LOOK_EVERY }
        try {
          await withAgent(
            kube,
            yaml,
            async (agent) => {
              await untilReady(agent)
              await publish(2)
              await expect.poll(() => texts(path, layout).catch(() => ({}))).toEqual(filesAt(2, layout))
              await untilReady(agent)
              const began = performance.now()
              undo = does(at, path, layout)
              if (obstructs === layout) {
                await expect.poll(() => agent.projections()[0]?.problem?.message).toContain(path)
                undo?.()
                undo = undefined
              }
              await expect.poll(() => texts(path, layout).catch(() => ({}))).toEqual(filesAt(2, layout))
              table.push(`| ${layout} | ${what} | ${((performance.now() - began) / 1000).toFixed(1)} s |`)
              await untilReady(agent)
              await publish(3)
              await expect.poll(() => texts(path, layout).catch(() => ({}))).toEqual(filesAt(3, layout))
              await untilReady(agent)
            },
            ports,
          )
        } finally {
          undo?.()
        }
      })
    },
  )

  it.each(ALL)(
    "layout %s: what retention has found removed before it was looked at is shown again",
    (layout) =>
      withFolder(async (folder) => {
        const path = join(folder, "at/shown")
        const { kube, yaml, publish } = siteOf(path, layout)
        await publish(1)
        // Retention follows a publish after NOTIFY_AFTER, long before this look.
        await withAgent(
          kube,
          yaml,
          async (agent) => {
            await untilReady(agent)
            await publish(2)
            await expect.poll(() => texts(path, layout).catch(() => ({}))).toEqual(filesAt(2, layout))
            remove(layout === "links" ? join(path, "..data") : path)
            await expect.poll(() => texts(path, layout).catch(() => ({}))).toEqual(filesAt(2, layout))
          },
          { lookEvery: 2000 },
        )
      }),
  )
})
