import { closeSync } from "node:fs"
import type { Disk, Handle } from "@headrace/agent/disk/disk"

/** Operations that change the disk or make it durable: those that tests count, in the order they are made. */
const CHANGES = [
  "makeDirectory",
  "createFile",
  "write",
  "setMode",
  "setOwner",
  "close",
  "openLockFile",
  "link",
  "symlink",
  "rename",
  "exchange",
  "unlink",
  "removeDirectory",
  "touch",
  "sync",
  "syncFileSystem",
] as const satisfies readonly (keyof Disk)[]

const CHANGE_NAMES: ReadonlySet<string> = new Set(CHANGES)

export interface Operation {
  name: (typeof CHANGES)[number]
  /** What it works on: paths or the handle's path, as a person would write them. */
  paths: string[]
}

export interface WrappedDisk extends Disk {
  /** What a dying process gives back: its open files, with the locks on them. */
  die(): void
}

/**
 * A disk that reports each change before it is made. What `before` throws is thrown instead of the change; any
 * operation can be forbidden that way, reads too once `isDead` says so.
 */
export function wrapDisk(
  disk: Disk,
  before: (operation: Operation) => void,
  isDead: () => boolean = () => false,
): WrappedDisk {
  const open = new Map<number, string>()
  const name = (value: unknown): string | undefined => {
    if (typeof value === "string")
      return value.replace(/^\/proc\/self\/fd\/(\d+)/, (text, fd) => open.get(Number(fd)) ?? text)
    if (isHandle(value)) return value.path
    return undefined
  }
  const wrapped: Record<string, unknown> = {}
  for (const [method, action] of Object.entries(disk) as [string, (...values: unknown[]) => unknown][]) {
    wrapped[method] = (...values: unknown[]) => {
      if (isDead()) throw new Error("this process is dead")
      if (CHANGE_NAMES.has(method)) {
        const paths = values.map(name).filter((path) => path !== undefined)
        before({ name: method as Operation["name"], paths })
      }
      const result = action(...values)
      if (isHandle(result)) open.set(result.fd, result.path)
      if (method === "close" && isHandle(values[0])) open.delete(values[0].fd)
      return result
    }
  }
  return {
    ...(wrapped as unknown as Disk),
    die: () => {
      for (const fd of open.keys()) closeSync(fd)
      open.clear()
    },
  }
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "fd" in value && "path" in value
}
