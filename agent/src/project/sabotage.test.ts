import { execFileSync } from "node:child_process"
import fs from "node:fs"
import { join } from "node:path"
import { filesBelow } from "@headrace/test/harness/shown-files"
import { createTestCluster, untilReady, withAgent } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { NAMESPACE, SOURCE, writeRevision } from "@headrace/test/harness/write-revision"
import { afterAll, describe, expect, it } from "vitest"

const ROOT = process.getuid?.() === 0
/** In the long form the agent looks as often as it does by itself, and the test prints how long it took. */
const LONG = process.env.HEADRACE_SABOTAGE === "long"
const LOOK_EVERY = LONG ? undefined : 100

type Layout = "links" | "exchange" | "file"

/** What somebody does to a projection at FOLDER/at/shown; gives what undoes it for the test's end. */
interface Sabotage {
  what: string
  layouts: readonly Layout[]
  needsRoot?: boolean
  does(at: string, path: string): undefined | (() => void)
}

const ALL: readonly Layout[] = ["links", "exchange", "file"]

function remove(path: string): undefined {
  fs.rmSync(path, { recursive: true })
}

function slotOf(at: string, path: string, layout?: string): string {
  const store =
    layout === "links" || fs.existsSync(join(path, "..rev"))
      ? join(path, "..rev")
      : join(at, ".headrace-shown")
  const newest = fs
    .readdirSync(store)
    .filter((name) => /^\d{4}$/.test(name))
    .sort()
    .at(-1)
  if (newest === undefined) throw new Error(`${store} has no slot`)
  return join(store, newest)
}

function moveAway(path: string): undefined {
  fs.renameSync(path, `${path}.old`)
}

const SABOTAGES: readonly Sabotage[] = [
  {
    what: "the slot of what is shown is removed",
    layouts: ALL,
    does: (at, path) => remove(slotOf(at, path)),
  },
  {
    what: "the shown revision's own folder is removed",
    layouts: ["links"],
    does: (_at, path) => remove(fs.realpathSync(join(path, "..data"))),
  },
  {
    what: "a folder within the shown revision is removed",
    layouts: ["links", "exchange"],
    does: (_at, path) => remove(fs.realpathSync(join(path, "d"))),
  },
  {
    what: "a shown file is written in place",
    layouts: ["links", "exchange", "file"],
    does(_at, path) {
      const file = fs.statSync(path).isFile() ? path : fs.realpathSync(join(path, "a"))
      fs.chmodSync(file, 0o644)
      fs.writeFileSync(file, "not ours")
      return undefined
    },
  },
  {
    what: "the manifest of what is shown is removed",
    layouts: ALL,
    does: (at, path) => remove(join(slotOf(at, path), "manifest.json")),
  },
  { what: "the store is removed", layouts: ALL, does: (at, path) => remove(join(slotOf(at, path), "..")) },
  { what: "the link is removed", layouts: ["links"], does: (_at, path) => remove(join(path, "..data")) },
  {
    what: "a visible name is removed",
    layouts: ["links"],
    does: (_at, path) => fs.unlinkSync(join(path, "a")) as undefined,
  },
  { what: "what is shown is removed", layouts: ALL, does: (_at, path) => remove(path) },
  { what: "what is shown is moved away", layouts: ALL, does: (_at, path) => moveAway(path) },
  {
    what: "the projection's folder is moved away and made again",
    layouts: ["links"],
    does(_at, path) {
      fs.renameSync(path, `${path}.old`)
      fs.mkdirSync(path)
      return undefined
    },
  },
  {
    what: "the folder above is moved away and made again",
    layouts: ALL,
    does(at) {
      fs.renameSync(at, `${at}.old`)
      fs.mkdirSync(at)
      return undefined
    },
  },
  { what: "the folder above is removed", layouts: ALL, does: (at) => remove(at) },
  {
    what: "a file system is mounted over its folder",
    layouts: ["links"],
    needsRoot: true,
    does(_at, path) {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", path])
      return () => execFileSync("umount", ["--lazy", path])
    },
  },
  {
    what: "a file system is mounted over the folder above",
    layouts: ["links", "exchange", "file"],
    needsRoot: true,
    does(at) {
      execFileSync("mount", ["-t", "tmpfs", "tmpfs", at])
      return () => execFileSync("umount", ["--lazy", at])
    },
  },
]

async function texts(path: string, layout: Layout): Promise<Record<string, string>> {
  if (layout === "file") return { a: fs.readFileSync(path, "utf8") }
  const below = await filesBelow(layout === "links" ? fs.realpathSync(join(path, "..data")) : path)
  if (layout === "links") fs.readFileSync(join(path, "a"))
  return Object.fromEntries(Object.entries(below).filter(([name]) => !name.startsWith("..")))
}

function filesAt(seq: number, layout: Layout): Record<string, string> {
  return layout === "file" ? { a: `${seq}` } : { a: `${seq}`, "d/b": "same" }
}

const table: string[] = []
afterAll(() => {
  if (LONG)
    process.stdout.write(`${["| layout | what | repaired after |", "|---|---|---|", ...table].join("\n")}\n`)
})

const CASES = SABOTAGES.flatMap((sabotage) =>
  sabotage.layouts.map((layout) => ({ ...sabotage, layout })),
).filter(({ needsRoot }) => ROOT || needsRoot !== true)

describe("under a running agent", () => {
  it.each(CASES)(
    "$layout: when $what, it is noticed and repaired, and the next change shows",
    async ({ layout, what, does }) => {
      await withFolder(async (folder) => {
        const at = join(folder, "at")
        const path = join(at, "shown")
        const { kube } = createTestCluster()
        const publish = (seq: number) =>
          writeRevision(kube, { seq, targets: { "ci/jobs": filesAt(seq, layout) } })
        const yaml = `version: 1
record: ${NAMESPACE}/${SOURCE}
projections:
  shown: {path: ${path}, layout: ${layout}, durability: none, keep: {age: 0s}, from: [{configMap: ci/jobs, names: paths}]}
`
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
              undo = does(at, path)

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
        const { kube } = createTestCluster()
        const yaml = `version: 1
record: ${NAMESPACE}/${SOURCE}
projections:
  shown: {path: ${path}, layout: ${layout}, durability: none, keep: {age: 0s}, from: [{configMap: ci/jobs, names: paths}]}
`
        const publish = (seq: number) =>
          writeRevision(kube, { seq, targets: { "ci/jobs": filesAt(seq, layout) } })
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
