/** A git setting for one command: key and value. */
export type GitSetting = readonly [key: string, value: string]

/** What holds for every git command of ours, whatever the mirror's own config says. */
const SETTINGS: readonly GitSetting[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.logAllRefUpdates", "false"],
  ["core.fsmonitor", "false"],
  ["credential.helper", ""],
  ["gc.auto", "0"],
  ["gc.autoDetach", "false"],
  ["maintenance.auto", "false"],
  // Git believes a commit graph that was damaged, and then counts wrong: a token would be wrong.
  ["core.commitGraph", "false"],
  ["fetch.writeCommitGraph", "false"],
  ["gc.writeCommitGraph", "false"],
  // Upkeep and fetches take the same locks, each for milliseconds: neither gives up at once.
  ["core.filesRefLockTimeout", "1000"],
  ["core.packedRefsTimeout", "1000"],
  // A server that stalls ends the command: under 1000 bytes a second for 30 s.
  ["http.lowSpeedLimit", "1000"],
  ["http.lowSpeedTime", "30"],
]

/** Variables of git that say where certificates are: the only ones of the user's that stay. */
const KEPT = new Set(["GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_EXEC_PATH"])

/**
 * The environment of a git command that no user, system or surrounding repository has a say in: without
 * the caller's GIT_* variables (a hook sets GIT_DIR), configuration files, prompts, hooks and replaced
 * objects; messages in English, since failures are distinguished by them. git(1), git-config(1).
 */
export function gitEnvironment(
  settings: readonly GitSetting[] = [],
  extra: Record<string, string> = {},
): Record<string, string> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    const foreign = (name.startsWith("GIT_") && !KEPT.has(name)) || name.startsWith("SSH_ASKPASS")
    if (value !== undefined && !foreign) env[name] = value
  }
  const all = [...SETTINGS, ...settings]
  all.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key
    env[`GIT_CONFIG_VALUE_${index}`] = value
  })
  return {
    ...env,
    GIT_CONFIG_COUNT: String(all.length),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh",
    LC_ALL: "C",
    LANGUAGE: "C",
    ...extra,
  }
}

/** Where git looks for the user's and the system's configuration: git(1). */
const CONFIG_PLACES = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"]

/**
 * The environment of a command that reads the configuration as the user who runs this has it: the same, but with that
 * user's and the system's files. For `git config` alone, which runs nothing that they name.
 */
export function callersEnvironment(): Record<string, string> {
  const env = gitEnvironment()
  for (const name of CONFIG_PLACES) {
    delete env[name]
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return env
}
