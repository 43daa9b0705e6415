import { join } from "node:path"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { type ProjectionOptions, projectionOptions } from "../harness/with-projection.ts"
import { publishAll, revisionsOf } from "./scenario.ts"
import { type Operation, wrapDisk } from "./wrap-disk.ts"

/**
 * The changes that publishing the scenario's second revision makes, as `name path`, names of chance normalised. Paths
 * are seen from the projection's folder, or in other layouts from the one that it is in.
 */
async function operationsOfSecond(options: ProjectionOptions): Promise<string[]> {
  return await withFolder(async (folder) => {
    const path = join(folder, "shown")
    const seen: Operation[] = []
    const disk = wrapDisk(openNodeDisk(), (operation) => seen.push(operation))
    const keep = { revisions: 1, age: 0, bytes: 1e9 }
    const projection = await openProjection(projectionOptions(path, { keep, disk, ...options }))
    const [first, second] = revisionsOf(options.layout)
    if (!first || !second) throw new Error("the scenario is too short")
    await projection.publish(first)
    await projection.settled()
    seen.length = 0
    await projection.publish(second)
    await projection.settled()
    await projection.close()
    const root = (options.layout ?? "links") === "links" ? path : folder
    return seen.map((operation) => normalised(operation, root))
  })
}

function normalised({ name, paths }: Operation, root: string): string {
  return [name, ...paths]
    .join(" ")
    .replaceAll(`${root}/`, "")
    .replaceAll(root, ".")
    .replace(/\.(staging|link|trash|note)-[-0-9a-f]+/g, ".$1")
}

/** Index of the only operation that is exactly `text`. */
function at(operations: string[], text: string): number {
  const found = operations.flatMap((operation, index) => (operation === text ? [index] : []))
  expect(found, `${text} in\n${operations.join("\n")}`).toHaveLength(1)
  return found[0] ?? -1
}

const FLIP = "rename ..rev/.link ..data"
const INTO_PLACE = "rename ..rev/.staging ..rev/0002"

describe.each([true, false])("the order of a durable publish (clone staged: %s)", (prestage) => {
  it("syncs every new file, every changed folder and the manifest before the revision gets its number", async () => {
    const operations = await operationsOfSecond({ durability: "fsync", prestage })
    const place = at(operations, INTO_PLACE)
    const before = operations.slice(0, place)

    for (const file of ["files/a", "files/d/n", "files/e/f"]) {
      const name = `..rev/.staging/${file}`
      const created = at(before, `createFile ${name}`)
      const steps = before.slice(created).filter((operation) => operation.endsWith(` ${name}`))
      expect(steps).toEqual(
        ["createFile", "write", "setMode", "sync", "close"].map((step) => `${step} ${name}`),
      )
    }
    const manifest = "..rev/.staging/manifest.json"
    expect(before.filter((operation) => operation.endsWith(` ${manifest}`))).toEqual(
      ["createFile", "write", "setMode", "sync", "close"].map((step) => `${step} ${manifest}`),
    )
    // The floor under later tokens goes the same way.
    expect(before.filter((operation) => operation.endsWith(" ..rev/.note"))).toEqual(
      ["createFile", "write", "setMode", "sync", "close"].map((step) => `${step} ..rev/.note`),
    )
    // Its content is named after the revision before the folders are synced, so this rename is durable too.
    const named = at(before, "rename ..rev/.staging/files ..rev/.staging/c2")
    for (const folder of ["c2", "c2/d", "c2/e"]) {
      expect(before.lastIndexOf(`sync ..rev/.staging/${folder}`)).toBeGreaterThan(named)
    }
    expect(before.lastIndexOf("sync ..rev/.staging")).toBeGreaterThan(named)
  })

  it("flips after the store is synced, reports after the projection is, and prunes last", async () => {
    const operations = await operationsOfSecond({ durability: "fsync", prestage })

    const order = [
      "rename ..rev/.note ..rev/published.json",
      INTO_PLACE,
      "sync ..rev",
      "symlink ..data/e e",
      "touch ..rev/0001",
      "symlink ..rev/0002/c2 ..rev/.link",
      FLIP,
      "sync .",
      "unlink gone",
      "rename ..rev/0001 ..rev/.trash",
    ]
    expect(operations.filter((operation) => order.includes(operation))).toEqual(order)
  })
})

describe.each(["fsync", "syncfs"] as const)("the order of a publish in other layouts (%s)", (durability) => {
  const STORE = ".headrace-shown"
  const STORED = [
    `rename ${STORE}/.note ${STORE}/published.json`,
    `rename ${STORE}/.staging ${STORE}/0002`,
    `sync ${STORE}`,
    `touch ${STORE}/0001`,
  ]

  it("exchange: swaps what is synced, takes the old directory home once both folders are, and prunes last", async () => {
    const operations = await operationsOfSecond({ layout: "exchange", durability })

    const order = [
      ...STORED,
      `exchange ${STORE}/0002/c2 shown`,
      "sync .",
      `sync ${STORE}/0002`,
      `rename ${STORE}/0002/c2 ${STORE}/0001/c1`,
      `rename ${STORE}/0001 ${STORE}/.trash`,
    ]
    expect(operations.filter((operation) => order.includes(operation))).toEqual(order)
    const place = at(operations, `rename ${STORE}/.staging ${STORE}/0002`)
    const synced = durability === "fsync" ? `sync ${STORE}/.staging/c2` : `syncFileSystem ${STORE}`
    expect(at(operations.slice(0, place), synced)).toBeGreaterThan(
      at(operations, `link ${STORE}/.staging/manifest.json ${STORE}/.staging/files/..revision.json`),
    )
  })

  it("file: renames a copy that is synced and closed, out of the store, and prunes last", async () => {
    const operations = await operationsOfSecond({ layout: "file", durability })

    const order = [
      ...STORED,
      ...["createFile", "write", "setOwner", "setMode", "sync", "close"].map(
        (step) => `${step} ${STORE}/.link`,
      ),
      `rename ${STORE}/.link shown`,
      "sync .",
      `rename ${STORE}/0001 ${STORE}/.trash`,
    ]
    expect(operations.filter((operation) => order.includes(operation))).toEqual(order)
  })
})

describe("the order of a publish with syncfs", () => {
  it("syncs the file system once between the last write and the number, and no file by itself", async () => {
    const operations = await operationsOfSecond({ durability: "syncfs", prestage: false })
    const place = at(operations, INTO_PLACE)

    expect(operations.slice(0, place).filter((operation) => operation.startsWith("sync"))).toEqual([
      "syncFileSystem ..rev",
    ])
    const sync = at(operations, "syncFileSystem ..rev")
    expect(sync).toBeGreaterThan(operations.findLastIndex((operation) => operation.startsWith("write ")))
    expect(operations.slice(place).filter((operation) => operation.startsWith("sync"))).toEqual([
      "sync ..rev",
      "sync .",
    ])
  })
})

describe("a publish with durability none", () => {
  it("syncs nothing", async () => {
    const operations = await operationsOfSecond({ durability: "none" })

    expect(operations.filter((operation) => operation.startsWith("sync"))).toEqual([])
    at(operations, FLIP)
  })
})

describe("publishing for the first time", () => {
  it("makes the folders above durable before anything is in them", async () => {
    const operations: string[] = []
    await withFolder(async (folder) => {
      const disk = wrapDisk(openNodeDisk(), (operation) => operations.push(normalised(operation, folder)))
      const projection = await openProjection(
        projectionOptions(join(folder, "x/y"), { disk, durability: "fsync" }),
      )
      await projection.close()
    })

    expect(operations.slice(0, 9)).toEqual([
      "makeDirectory x",
      "sync .",
      "close .",
      "makeDirectory x/y",
      "sync x",
      "close x",
      "makeDirectory x/y/..rev",
      "sync x/y",
      "touch x/y/..rev/.",
    ])
  })
})

describe.each([
  ["links", 2, FLIP],
  // The first takes the place by a rename.
  ["exchange", 1, "exchange .headrace-shown/0002/c2 shown"],
  ["file", 2, "rename .headrace-shown/.link shown"],
] as const)("recovering after a process died right after the flip (layout %s)", (layout, second, flip) => {
  it("makes the flip durable before anything is pruned", async () => {
    const operations: string[] = []
    await withFolder(async (folder) => {
      const path = join(folder, "shown")
      const root = layout === "links" ? path : folder
      let flips = 0
      let dead = false
      const dying = wrapDisk(
        openNodeDisk(),
        (operation) => {
          if (flips === second) dead = true
          if (dead) throw new Error("died here")
          if (normalised(operation, root) === flip) flips += 1
        },
        () => dead,
      )
      await publishAll(path, { layout, disk: dying }, () => undefined).catch(() => undefined)
      dying.die()
      const disk = wrapDisk(openNodeDisk(), (operation) => operations.push(normalised(operation, root)))
      const keep = { revisions: 1, age: 0, bytes: 1e9 }
      const options = projectionOptions(path, { layout, keep, disk, durability: "fsync" })
      await (await openProjection(options)).close()
    })

    const store = layout === "links" ? "..rev" : ".headrace-shown"
    const order = ["sync .", `rename ${store}/0001 ${store}/.trash`]
    expect(operations.filter((operation) => order.includes(operation))).toEqual(order)
  })
})
