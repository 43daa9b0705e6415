import { type FileHandle, open } from "node:fs/promises"

/** Opens a file, by flags of open(2) or for reading, and closes it when `use` has ended. */
export async function withOpenFile<Result>(
  path: string,
  flags: string | number,
  use: (file: FileHandle) => Promise<Result>,
): Promise<Result> {
  const file = await open(path, flags)
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}
