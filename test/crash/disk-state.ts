import type { Disk } from "@headrace/agent/disk/disk"

/** All that programs can see of a disk in memory beneath its root, as text: two disks of the same text behave the same. */
export function diskState(disk: Disk, path = ""): string {
  const status = disk.look(path)
  if (!status) return `${path} absent`
  const line = JSON.stringify([path, status, contentOf(disk, path, status.kind)])
  if (status.kind !== "directory") return line
  return [line, ...disk.list(path).map((name) => diskState(disk, `${path}/${name}`))].join("\n")
}

function contentOf(disk: Disk, path: string, kind: string): string | undefined {
  if (kind === "link") return disk.readLink(path)
  return kind === "file" ? disk.read(path).toString("base64") : undefined
}
