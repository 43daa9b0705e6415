import type { Disk, FileStatus, Handle } from "@headrace/agent/disk/disk"
import {
  type Change,
  type Node,
  newNode,
  nodesUnder,
  type Survival,
  surviving,
  syncNode,
} from "./simulated-node.ts"

/** A disk in memory that keeps apart what programs see and what would survive a power cut (simulated-node.ts). */
export interface SimulatedDisk extends Disk {
  /** The disk as it is after a power cut now. */
  afterCut(survival: Survival): SimulatedDisk
  /** The same disk as another process has it, with open files of its own. */
  process(): SimulatedDisk
  /** What a dying process gives back: its open files, with the locks on them. */
  die(): void
}

const OWN_UID = process.geteuid?.() ?? 0

/** What the processes of one machine share. */
interface Machine {
  root: Node
  /** Who has a lock of a file or folder: descriptors, exclusive or not. */
  holders: Map<Node, Map<number, "shared" | "exclusive">>
  /** No part of the disk, and gone after a power cut, as what is under /run. */
  locks: Map<string, Node>
  lastFd: number
}

/** An empty disk, or one that goes on from a root. */
export function simulateDisk(root: Node = newNode("directory")): SimulatedDisk {
  return processOn({ root, holders: new Map(), locks: new Map(), lastFd: 2 })
}

function processOn(machine: Machine): SimulatedDisk {
  const { root, holders, locks } = machine
  const open = new Map<number, Node>()
  let time = Date.now()

  function nodeAt(path: string): Node | undefined {
    let node: Node | undefined = root
    for (const name of path.split("/")) {
      if (name === "" || name === ".") continue
      node = name.startsWith("fd:") ? open.get(Number(name.slice(3))) : node?.entries.get(name)
    }
    return node
  }

  function place(path: string): { folder: Node; name: string } {
    const slash = path.lastIndexOf("/")
    const folder = nodeAt(path.slice(0, slash))
    if (folder?.kind !== "directory") throw failure("ENOENT", path)
    return { folder, name: path.slice(slash + 1) }
  }

  function change(...parts: Change["parts"]): void {
    const made = { parts }
    for (const { folder, name, node } of parts) {
      if (node) folder.entries.set(name, node)
      else folder.entries.delete(name)
      folder.pending.push(made)
    }
  }

  function add(path: string, node: Node): Node {
    const { folder, name } = place(path)
    if (folder.entries.has(name)) throw failure("EEXIST", path)
    change({ folder, name, node })
    return node
  }

  function openNode(path: string, node: Node | undefined): Handle {
    if (!node) throw failure("ENOENT", path)
    machine.lastFd += 1
    open.set(machine.lastFd, node)
    return { fd: machine.lastFd, path }
  }

  function existing(path: string): Node {
    const node = nodeAt(path)
    if (!node) throw failure("ENOENT", path)
    return node
  }

  function ofHandle(handle: Handle): Node {
    const node = open.get(handle.fd)
    if (!node) throw failure("EBADF", handle.path)
    return node
  }

  return {
    look: (path) => {
      const node = nodeAt(path)
      return node && statusOf(node, root)
    },
    list: (path) => [...existing(path).entries.keys()],
    readLink: (path) => {
      const node = nodeAt(path)
      return node?.kind === "link" ? node.content.toString() : undefined
    },
    read: (path) => existing(path).content,
    space: () => ({ bytes: Number.POSITIVE_INFINITY, inodes: Number.POSITIVE_INFINITY }),
    makeDirectory: (path, mode) => void add(path, { ...newNode("directory"), mode }),
    createFile: (path) => openNode(path, add(path, newNode("file"))),
    write: (handle, content) => {
      const node = ofHandle(handle)
      node.content = Buffer.concat([node.content, content])
      time += 1
      node.modified = time
    },
    setMode: (handle, mode) => {
      ofHandle(handle).mode = mode
    },
    setOwner: () => undefined,
    close: (handle) => {
      holders.get(ofHandle(handle))?.delete(handle.fd)
      open.delete(handle.fd)
    },
    openDirectory: (path) => openNode(path, nodeAt(path)),
    openFile: (path) => openNode(path, nodeAt(path)),
    openLock: ({ fd, path }, purpose) => {
      const name = `${existing(`fd:${fd}`).inode}.${purpose}`
      const file = locks.get(name) ?? newNode("file")
      locks.set(name, file)
      return openNode(`${path}, ${purpose}`, file)
    },
    openLockFile: (path) => openNode(path, nodeAt(path) ?? add(path, newNode("file"))),
    link: (from, path) => void add(path, existing(from)),
    symlink: (target, path) => {
      const node = newNode("link")
      node.content = Buffer.from(target)
      node.durableContent = node.content
      add(path, node)
    },
    rename: (from, to) => {
      const node = existing(from)
      const source = place(from)
      const target = place(to)
      const there = target.folder.entries.get(target.name)
      if (there?.kind === "directory" && there.entries.size > 0) throw failure("ENOTEMPTY", to)
      change({ ...source, node: undefined }, { ...target, node })
    },
    exchange: (a, b) => {
      change({ ...place(a), node: existing(b) }, { ...place(b), node: existing(a) })
    },
    unlink: (path) => change({ ...place(path), node: existing(path) && undefined }),
    removeDirectory: (path) => {
      if (existing(path).entries.size > 0) throw failure("ENOTEMPTY", path)
      change({ ...place(path), node: undefined })
    },
    touch: (path) => {
      existing(path).modified = Date.now()
    },
    spread: () => undefined,
    sync: async (handle) => syncNode(ofHandle(handle)),
    syncFileSystem: async () => {
      for (const node of nodesUnder(root)) syncNode(node)
    },
    lock: async (handle, kind) => {
      const node = ofHandle(handle)
      const held = holders.get(node) ?? new Map<number, "shared" | "exclusive">()
      const others = [...held].filter(([fd]) => fd !== handle.fd)
      if (others.some(([, other]) => kind === "exclusive" || other === "exclusive")) return false
      holders.set(node, held.set(handle.fd, kind))
      return true
    },
    isAtItsPath: () => true,
    within: (handle) => `fd:${handle.fd}`,
    afterCut: (survival) => simulateDisk(surviving(root, survival)),
    process: () => processOn(machine),
    die: () => {
      for (const [fd, node] of open) holders.get(node)?.delete(fd)
      open.clear()
    },
  }
}

function statusOf(node: Node, root: Node): FileStatus {
  return {
    kind: node.kind,
    device: 1,
    inode: node.inode,
    // Rarely asked for, and it takes a walk.
    get names() {
      return namesUnder(root, node)
    },
    mode: node.mode,
    uid: OWN_UID,
    gid: 0,
    size: node.content.length,
    modified: node.modified,
    changed: node.modified,
  }
}

function namesUnder(folder: Node, wanted: Node): number {
  let names = 0
  for (const node of folder.entries.values()) names += (node === wanted ? 1 : 0) + namesUnder(node, wanted)
  return names
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
