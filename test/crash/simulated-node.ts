/**
 * A file, folder or link of a simulated disk, with what programs see of it and what would survive a power cut, by the
 * promises of POSIX alone: the data of a file that was fsynced, and the entries of a folder that was fsynced, each as of
 * that fsync; syncfs covers everything. Of the rest any part may survive, in any order (Pillai et al., "All File
 * Systems Are Not Created Equal", OSDI 2014). Stricter than ext4, which commits its whole journal at any fsync.
 */
export interface Node {
  inode: number
  kind: "file" | "directory" | "link"
  mode: number
  modified: number
  /** A file's bytes, a link's target. */
  content: Buffer
  durableContent: Buffer | undefined
  entries: Map<string, Node>
  durableEntries: Map<string, Node>
  /** Changes of entries since the last sync. */
  pending: Change[]
}

/** One change of names; a rename is one change of two folders, which survives in both or in neither. */
export interface Change {
  parts: { folder: Node; name: string; node: Node | undefined }[]
}

/** What of the unsynced survives. `choose` is asked for each change of names and each file's data. */
export interface Survival {
  choose(what: "names" | "data"): boolean
}

/** A node that nothing has a name for yet. */
export function newNode(kind: Node["kind"]): Node {
  return {
    inode: ++lastInode,
    kind,
    mode: 0o600,
    modified: 0,
    content: Buffer.alloc(0),
    durableContent: undefined,
    entries: new Map(),
    durableEntries: new Map(),
    pending: [],
  }
}
let lastInode = 0

/** fsync(2) of a file or folder. */
export function syncNode(node: Node): void {
  if (node.kind === "file") node.durableContent = node.content
  for (const made of node.pending) {
    for (const { folder, name, node: now } of made.parts) {
      if (folder === node) setEntry(folder.durableEntries, name, now)
    }
    // The other half of a rename survives with this one: file systems move a name in one transaction.
    for (const { folder, name, node: now } of made.parts) {
      if (folder === node) continue
      setEntry(folder.durableEntries, name, now)
      folder.pending = folder.pending.filter((other) => other !== made)
    }
  }
  node.pending = []
}

function setEntry(entries: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node) entries.set(name, node)
  else entries.delete(name)
}

/** What programs see beneath a folder, with itself. */
export function nodesUnder(root: Node): Set<Node> {
  const found = new Set([root])
  for (const node of found) for (const child of node.entries.values()) found.add(child)
  return found
}

/** A copy of what is durable and of what of the rest is chosen. */
export function surviving(root: Node, survival: Survival): Node {
  const all = everyNode(root)
  const entries = new Map([...all].map((node) => [node, new Map(node.durableEntries)]))
  for (const made of changesOf(all)) {
    if (!survival.choose("names")) continue
    for (const { folder, name, node } of made.parts) setEntry(entries.get(folder) ?? new Map(), name, node)
  }
  const copies = new Map([...all].map((node) => [node, copyOf(node, survival)]))
  for (const [node, copy] of copies) link(copy, entries.get(node) ?? new Map(), copies)
  return copies.get(root) ?? newNode("directory")
}

/** Whatever can be reached by names that are seen, durable, or in between. */
function everyNode(root: Node): Set<Node> {
  const all = new Set([root])
  for (const node of all) {
    const between = node.pending.flatMap((made) => made.parts.map((part) => part.node))
    for (const child of [...node.entries.values(), ...node.durableEntries.values(), ...between]) {
      if (child) all.add(child)
    }
  }
  return all
}

/** Each change that is not durable, once, oldest first within a folder. */
function changesOf(nodes: ReadonlySet<Node>): Set<Change> {
  return new Set([...nodes].flatMap((node) => node.pending))
}

function link(copy: Node, entries: ReadonlyMap<string, Node>, copies: ReadonlyMap<Node, Node>): void {
  for (const [name, child] of entries) {
    const childCopy = copies.get(child)
    if (childCopy) copy.entries.set(name, childCopy)
  }
  copy.durableEntries = new Map(copy.entries)
}

function copyOf(node: Node, survival: Survival): Node {
  const content = node.kind === "file" ? survivingContent(node, survival) : node.content
  return {
    ...node,
    content,
    durableContent: content,
    entries: new Map(),
    durableEntries: new Map(),
    pending: [],
  }
}

function survivingContent(node: Node, survival: Survival): Buffer {
  if (node.durableContent === node.content) return node.content
  return survival.choose("data") ? node.content : (node.durableContent ?? Buffer.alloc(0))
}
