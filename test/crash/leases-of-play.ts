import type { Disk, Handle } from "@headrace/agent/disk/disk"
import type { Revision } from "@headrace/agent/store/revision"
import type { Machine } from "./operation-sequences.ts"

/** A reader's lease of what a machine shows. */
export interface Lease {
  reader: Disk
  folder: Handle
  revision: Revision
}

/** Takes a lease of a revision that is shown. */
export async function takeLease(machine: Machine, revision: Revision): Promise<Lease> {
  const reader = machine.process()
  const folder = leasePlace(reader, machine, revision.id)
  if (folder === undefined || !(await reader.lock(folder, "shared"))) throw new Error("it cannot be leased")
  return { reader, folder, revision }
}

/** The folder that a reader's lease is of; in layout `file`, which shows none, the slot's. */
function leasePlace(disk: Disk, { path, layout }: Machine, id: string): Handle | undefined {
  if (layout === "exchange") return disk.openDirectory(path)
  if (layout === "links") return disk.openDirectory(`${path}/${disk.readLink(`${path}/..data`)}`)
  const slash = path.lastIndexOf("/")
  const store = `${path.slice(0, slash)}/.headrace-${path.slice(slash + 1)}`
  const slot = disk.list(store).find((name) => disk.look(`${store}/${name}/${id}`))
  return slot === undefined ? undefined : disk.openDirectory(`${store}/${slot}/${id}`)
}

/** What a leased revision has lost. */
export async function lostOf({ reader, folder, revision }: Lease): Promise<string[]> {
  const lost: string[] = []
  for (const file of revision.files) {
    const path = `${reader.within(folder)}/${file.path}`
    const isThere = reader.look(path)?.kind === "file" && reader.read(path).equals(await file.read())
    if (!isThere) lost.push(`leased ${revision.id} lost ${file.path}`)
  }
  return lost
}
