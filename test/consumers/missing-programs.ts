import { existsSync } from "node:fs"
import { delimiter, join } from "node:path"

/** Which of these are neither on PATH (or in the folders of system programs) nor, with a slash, there. */
export function missingPrograms(needs: readonly string[]): string[] {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]
  return needs.filter((need) =>
    need.includes("/") ? !existsSync(need) : !folders.some((folder) => existsSync(join(folder, need))),
  )
}
