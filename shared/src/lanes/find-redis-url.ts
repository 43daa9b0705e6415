import { readFile } from "node:fs/promises"
import { UsageError } from "../foundation/errors.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"
import { parseRedisUrl } from "./redis-address.ts"

/**
 * The Redis URL: from the file that the flag names, otherwise as the settings say, or from REDIS_URL.
 * Undefined when nobody says. Throws UsageError `lanes/redis-url-file`, and `lanes/redis-url` for a file that holds no Redis URL.
 */
export async function findRedisUrl(
  settings: Pick<OperatorSettings["redis"], "url" | "urlFile">,
  flagFile: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const file = flagFile ?? settings.urlFile
  if (file !== undefined) return readUrlFile(file)
  // An empty variable counts as none, as those of flags do.
  return settings.url ?? (environment.REDIS_URL || undefined)
}

async function readUrlFile(file: string): Promise<string> {
  const url = (await readText(file)).trim()
  if (url === "") {
    throw new UsageError("lanes/redis-url-file", `the file of the Redis URL, ${file}, is empty`, {
      hint: "Write the URL into it, such as redis://:PASSWORD@HOST:6379.",
    })
  }
  try {
    parseRedisUrl(url)
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause
    const { code, message, hint } = cause
    throw new UsageError(code, `${file}: ${message}`, hint === undefined ? {} : { hint })
  }
  return url
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8")
  } catch (cause) {
    const hint = "Check the path of --redis-url-file or redis.urlFile, and that this user may read it."
    throw new UsageError("lanes/redis-url-file", `cannot read the Redis URL from ${file}`, { hint, cause })
  }
}
