import { readFile } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { GitSetting } from "@headrace/shared/git/process/git-environment"

/** A login for one server; the password itself, or a file that is read at each sync. */
export interface GitCredential {
  url: string
  username: string
  password?: string | undefined
  passwordFile?: string | undefined
}

/** What git needs to log in: none of it is in an argument or a file. */
export interface GitLogins {
  settings: GitSetting[]
  env: Record<string, string>
  /** To be cut out of what git writes. */
  secrets: string[]
}

/**
 * A credential helper (gitcredentials(7)) that answers from its environment, for its own user and path alone: git
 * names them when the URL has a user, or credential.useHttpPath is set.
 */
function helper(index: number): string {
  const variable = (name: string) => `"$HEADRACE_GIT_${name}_${index}"`
  const script = [
    'test "$1" = get || exit 0',
    'while IFS== read -r k v && test -n "$k"; do case "$k" in',
    `username) test "$v" = ${variable("USER")} || exit 0;;`,
    `path) test -z ${variable("PATH")} || test "$v" = ${variable("PATH")} || exit 0;;`,
    "esac; done",
    `printf "username=%s\\npassword=%s\\n" ${variable("USER")} ${variable("PASSWORD")}`,
  ]
  return `!f() { ${script[0]}; ${script[1]} ${script[2]} ${script[3]} ${script[4]}; ${script[5]}; }; f`
}

/** Logins by the credentials, in their order. Throws `git/auth-failed` for a password file that cannot be read. */
export async function gitLogins(credentials: readonly GitCredential[]): Promise<GitLogins> {
  const logins: GitLogins = { settings: [], env: {}, secrets: [] }
  for (const [index, credential] of credentials.entries()) {
    const url = URL.parse(credential.url)
    if (url === null) continue
    const password = await passwordOf(credential)
    logins.settings.push([`credential.${url.protocol}//${url.host}.helper`, helper(index)])
    logins.env[`HEADRACE_GIT_USER_${index}`] = credential.username
    logins.env[`HEADRACE_GIT_PASSWORD_${index}`] = password
    logins.env[`HEADRACE_GIT_PATH_${index}`] = url.pathname.replace(/^\//, "")
    if (password !== "") logins.secrets.push(password, encodeURIComponent(password))
  }
  return logins
}

async function passwordOf({ password, passwordFile }: GitCredential): Promise<string> {
  if (passwordFile === undefined) return password ?? ""
  const text = await readFile(passwordFile, "utf8").catch((cause: unknown) => {
    throw new HeadraceError("git/auth-failed", `the password file ${passwordFile} cannot be read`, {
      hint: "Give this user the right to read it.",
      cause,
    })
  })
  // A secret that was written with echo ends in a line feed, which no password can hold: git's protocol ends lines by it.
  return text.replace(/\r?\n$/, "")
}
