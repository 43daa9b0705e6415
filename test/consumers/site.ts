import fs from "node:fs"
import { dirname, join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { NOTIFY_AFTER } from "@headrace/agent/publish/tend-projection"
import { openAtomicWriter } from "../bench/peers/atomic-writer.ts"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { FLAT, filesOf, NESTED } from "./revision-files.ts"

/** What a consumer is pointed at. */
export type Through = "a flat file" | "a nested file" | "a nested folder" | "the root"

/** Where revisions come from: our layouts, the kubelet's mount to compare with, and two controls that must fail. */
export type Publisher = "links" | "exchange" | "file" | "kubelet" | "tears" | "silent"

/** What a watcher watches, and what it reads then: files beneath `base`, opened once, or without it by their path. */
export interface Place {
  watch: string
  isFolder: boolean
  base?: string
  files: readonly string[]
}

/** A published folder that consumers follow. */
export interface Site {
  publisher: Publisher
  root: string
  /** The path of a file of the revision, as a consumer is configured with it. */
  path(file: string): string
  place(through: Through): Place
  publish(seq: number): Promise<void>
  close(): Promise<void>
}

/**
 * A clone is staged, watchers hear of a flip as they do of an agent's, and a revision outlasts a consumer that the machine
 * keeps waiting. Agents keep one for ten minutes, which of thousands of flips no disk holds. Syncing is of no concern to readers.
 */
const AS_AGENTS_RUN = {
  notifyAfter: NOTIFY_AFTER,
  keep: { revisions: 3, age: 1_000, bytes: 2 ** 33 },
}

/** Opens a site in an empty folder. `names`: the files that layout `file` shows, each a projection; all unless given. */
export async function openSite(
  publisher: Publisher,
  folder: string,
  names: readonly string[] = Object.keys(filesOf(1)),
): Promise<Site> {
  const root = join(folder, "shown")
  const site = {
    publisher,
    root,
    path: (file: string) => join(root, file),
    place: (through: Through) => placeIn(publisher, root, through),
  }
  if (publisher === "file") return { ...site, ...(await openFiles(root, names)) }
  if (publisher === "links" || publisher === "exchange")
    return { ...site, ...(await openLayout(publisher, root)) }
  const close = async () => undefined
  if (publisher === "kubelet") return { ...site, publish: publishAsKubelet(root), close }
  if (publisher === "tears") return { ...site, publish: async (seq) => await writeInPlace(root, seq), close }
  return { ...site, publish: publishElsewhere(folder, root), close }
}

function placeIn(publisher: Publisher, root: string, through: Through): Place {
  const [flat, nested] = [join(root, FLAT[0]), join(root, NESTED[0])]
  if (through === "a flat file") return { watch: flat, isFolder: false, files: [flat] }
  if (through === "a nested file") return { watch: nested, isFolder: false, files: [nested] }
  const watch = through === "the root" ? root : dirname(nested)
  // There each file is a flip of its own.
  if (publisher === "file") return { watch, isFolder: true, files: [through === "the root" ? flat : nested] }
  if (through === "a nested folder")
    return { watch, isFolder: true, base: watch, files: ["conf.txt", "pair.txt"] }
  const hasLink = publisher === "links" || publisher === "kubelet"
  return { watch, isFolder: true, base: hasLink ? join(root, "..data") : root, files: [...FLAT, ...NESTED] }
}

async function openLayout(
  layout: "links" | "exchange",
  root: string,
): Promise<Pick<Site, "publish" | "close">> {
  const projection = await openProjection(projectionOptions(root, { layout, ...AS_AGENTS_RUN }))
  return {
    publish: async (seq) => void (await projection.publish(revisionOf(seq, filesOf(seq)))),
    close: () => projection.close(),
  }
}

/** Layout `file` shows one file: a projection for each. */
async function openFiles(root: string, names: readonly string[]): Promise<Pick<Site, "publish" | "close">> {
  const projections = new Map<string, Awaited<ReturnType<typeof openProjection>>>()
  for (const name of names) {
    fs.mkdirSync(dirname(join(root, name)), { recursive: true })
    projections.set(
      name,
      await openProjection(projectionOptions(join(root, name), { layout: "file", ...AS_AGENTS_RUN })),
    )
  }
  return {
    publish: async (seq) => {
      const files = Object.entries(filesOf(seq))
      await Promise.all(
        files.map(([name, text]) => projections.get(name)?.publish(revisionOf(seq, { file: text }))),
      )
    },
    close: async () => {
      for (const projection of projections.values()) await projection.close()
    },
  }
}

/** The kubelet's steps, with the links beside `..data` that it makes. */
function publishAsKubelet(root: string): Site["publish"] {
  const writer = openAtomicWriter(root)
  return async (seq) => {
    const contents = new Map(Object.entries(filesOf(seq)).map(([name, text]) => [name, Buffer.from(text)]))
    await writer.publish({ contents, files: [] })
    for (const name of new Set([...contents.keys()].map((path) => path.split("/")[0] ?? path))) {
      if (!fs.existsSync(join(root, name))) fs.symlinkSync(`..data/${name}`, join(root, name))
    }
  }
}

/** A control: writes each file in place, in two halves, as k8s-sidecar and `cp` do. */
async function writeInPlace(root: string, seq: number): Promise<void> {
  for (const [name, text] of Object.entries(filesOf(seq))) {
    const path = join(root, name)
    fs.mkdirSync(dirname(path), { recursive: true })
    const file = fs.openSync(path, "w")
    fs.writeSync(file, text.slice(0, text.length / 2))
    await new Promise((resolve) => setTimeout(resolve, 5))
    fs.writeSync(file, text.slice(text.length / 2))
    fs.closeSync(file)
  }
}

/** A control: what consumers follow stays as it was at first. */
function publishElsewhere(folder: string, root: string): Site["publish"] {
  return async (seq) => await writeInPlace(seq === 1 ? root : join(folder, "elsewhere"), seq)
}
