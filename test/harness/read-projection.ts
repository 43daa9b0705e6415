import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { gitBlobId } from "./projection-snapshot.ts"

/** What a user sees in a projection: name to blob id, through the visible links; `..` names are ours. */
export async function readProjection(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".."))
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, gitBlobId(await readFile(join(folder, name)))] as const),
    ),
  )
}
