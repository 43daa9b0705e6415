import { appendFile } from "node:fs/promises"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import { userLine, userNameEnvironment } from "@headrace/shared/git/process/user-name"

/**
 * Gives this user a name where it has none: by nss_wrapper, or, for git-sync's --add-user, by a line of /etc/passwd.
 * Gives the variables that ssh needs. Throws `git-sync/add-user` when it was asked for and neither is possible.
 */
export async function addUserName(isAsked: boolean, passwd = "/etc/passwd"): Promise<Record<string, string>> {
  const env = userNameEnvironment()
  if (env !== undefined || !isAsked) return env ?? {}
  await appendFile(passwd, userLine()).catch((cause: unknown) => {
    throw new HeadraceError("git-sync/add-user", `${passwd} cannot be written, and this user has no name`, {
      hint: "Make it writable for this user, or install nss_wrapper (Debian: libnss-wrapper).",
      cause,
    })
  })
  return {}
}
