import { readFile } from "node:fs/promises"
import { KubeError } from "../kube-error.ts"

export interface TokenFile {
  read(): Promise<string>
}

/**
 * A token that is replaced on disk from time to time: a kubelet renews a service account's at 80% of its
 * life. Read for every request; while the file cannot be read or is empty, the last good one is used.
 */
export function openTokenFile(path: string): TokenFile {
  let last = ""
  async function read(): Promise<string> {
    try {
      last = (await readFile(path, "utf8")).trim() || last
    } catch (error) {
      if (!last) {
        throw new KubeError("kube/unauthorized", `the token file ${path} cannot be read`, { cause: error })
      }
    }
    return last
  }
  return { read }
}
