import { HeadraceError } from "@headrace/shared/foundation/errors"
import { type GitSetting, gitEnvironment } from "@headrace/shared/git/process/git-environment"
import { runGit } from "@headrace/shared/git/process/run-git"
import type { GitLogins } from "./git-credentials.ts"
import type { GitSyncSettings } from "./git-sync-settings.ts"
import { mountedSshConfig, sshCommand } from "./ssh-command.ts"

/** Runs one git command in the checkout and gives its standard output, trimmed. Throws `git/…`, without secrets. */
export type GitCommandRunner = (args: readonly string[], signal: AbortSignal) => Promise<string>

export interface GitCommandOptions {
  settings: Pick<
    GitSyncSettings,
    "git" | "gitConfig" | "sshKeyFiles" | "knownHostsFile" | "cookieFile" | "syncTimeout" | "sparseFile"
  >
  /** The work tree. */
  folder: string
  /** From writeGitConfigFile. */
  configFile: string
  logins: GitLogins
  /** For processes of a user without a name. */
  userEnv: Readonly<Record<string, string>>
}

const COOKIE_FILE = "/etc/git-secret/cookie_file"

/** The caller's variables of git that choose no repository and no configuration file: git-sync passes them on. */
const PASSED = /^GIT_(SSL_|TRACE|CURL_VERBOSE|HTTP_|PROXY_|SSH_VARIANT|ASKPASS|ALLOW_PROTOCOL|LFS_)/

/** git as git-sync runs it: with its settings, logins and keys, in a checkout of our own. */
export function gitCommandRunner(options: GitCommandOptions): GitCommandRunner {
  const { settings, folder, logins } = options
  const env = environment(options)
  return async (args, signal) => {
    try {
      const { stdout } = await runGit({
        args,
        program: settings.git,
        folder,
        env,
        signal,
        timeout: settings.syncTimeout,
      })
      return stdout.toString("utf8").trim()
    } catch (error) {
      if (!(error instanceof HeadraceError)) throw error
      throw without(error, logins.secrets)
    }
  }
}

function environment({ settings, configFile, logins, userEnv }: GitCommandOptions): Record<string, string> {
  const passed = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      PASSED.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  )
  const own = process.env.GIT_SSH_COMMAND
  const ssh = sshCommand(
    {
      keyFiles: settings.sshKeyFiles,
      knownHostsFile: settings.knownHostsFile,
      configFile: own === undefined ? mountedSshConfig() : undefined,
    },
    own,
  )
  const config: GitSetting[] = [
    ["gc.pruneExpire", "now"],
    ["advice.detachedHead", "false"],
    ...(settings.cookieFile ? [["http.cookiefile", COOKIE_FILE] as const] : []),
    ["core.sparseCheckout", String(settings.sparseFile !== undefined)],
    ["core.sparseCheckoutCone", "false"],
    ...logins.settings,
    // The user's word comes last, as in git-sync.
    ...settings.gitConfig,
    ...callersSettings(process.env),
  ]
  const env = gitEnvironment(config, {
    ...passed,
    ...logins.env,
    ...userEnv,
    GIT_SSH_COMMAND: ssh,
    GIT_CONFIG_GLOBAL: configFile,
  })
  // git's own rules then hold: a submodule's URL can name no local path (git-config(1), protocol.allow).
  if (passed.GIT_ALLOW_PROTOCOL === undefined) delete env.GIT_ALLOW_PROTOCOL
  return env
}

/** Settings that the caller gives git by the environment: git-config(1), GIT_CONFIG_COUNT. */
function callersSettings(env: NodeJS.ProcessEnv): GitSetting[] {
  const count = Number(env.GIT_CONFIG_COUNT ?? 0)
  const settings: GitSetting[] = []
  for (let index = 0; index < count; index += 1) {
    const key = env[`GIT_CONFIG_KEY_${index}`]
    if (key === undefined) break
    settings.push([key, env[`GIT_CONFIG_VALUE_${index}`] ?? ""])
  }
  return settings
}

/** The error without secrets that a server may have echoed. */
function without(error: HeadraceError, secrets: readonly string[]): HeadraceError {
  if (!secrets.some((secret) => error.message.includes(secret))) return error
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), error.message)
  return new HeadraceError(error.code, message, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    fields: error.fields,
  })
}
