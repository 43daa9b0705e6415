import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { type NextSettingsOptions, nextSettings as nextOf } from "@headrace/shared/settings/next-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"

/** What a plugin runs on. */
export interface FoundSettings {
  settings: OperatorSettings
  /** Its password may be rotated in a file of its own. Undefined: nothing says where Redis is. */
  redisUrl: string | undefined
}

/** Reads the operator's file, its folder of kubeconfigs, and the file of the Redis URL, that of the flag first. Throws UsageError. */
export async function findSettings(file: string, redisUrlFile: string | undefined): Promise<FoundSettings> {
  const settings = await loadOperatorSettings(file)
  return { settings, redisUrl: await findRedisUrl(settings.redis, redisUrlFile, process.env) }
}

/**
 * Waits until the operator's file, its folder of kubeconfigs, or the file of the Redis URL says something else than
 * `current`, and gives it. Reads every `interval` milliseconds.
 */
export function nextSettings(
  file: string,
  current: FoundSettings,
  {
    redisUrlFile,
    ...options
  }: Pick<NextSettingsOptions<FoundSettings>, "log" | "signal" | "interval" | "onRejected"> & {
    redisUrlFile?: string | undefined
  },
): Promise<FoundSettings | undefined> {
  const { settings, redisUrl } = current
  const load = (path: string) => findSettings(path, redisUrlFile)
  return nextOf({ file, load, current: { settings, redisUrl }, ...options })
}
