import { readFile } from "node:fs/promises"
import { UsageError } from "../foundation/errors.ts"
import type { OperatorSettings } from "../settings/operator-settings.ts"

/**
 * The Redis URL: from the file that the flag names, otherwise as the settings say, or from REDIS_URL.
 * Undefined when nobody says. Throws UsageError `lanes/redis-url-file`.
 */
export async function findRedisUrl(
  settings: Pick<OperatorSettings["redis"], "url" | "urlFile">,
  flagFile: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const file = flagFile ?? settings.urlFile
  if (file !== undefined) return readUrlFile(file)
  return settings.url ?? environment.REDIS_URL
}

async function readUrlFile(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).trim()
  } catch (cause) {
    const hint = "Check the path of --redis-url-file or redis.urlFile, and that this user may read it."
    throw new UsageError("lanes/redis-url-file", `cannot read the Redis URL from ${file}`, { hint, cause })
  }
}
