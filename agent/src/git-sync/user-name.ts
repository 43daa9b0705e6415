import { appendFile, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"

/** Where Debian, Alpine and Fedora install nss_wrapper (nss_wrapper(1)). */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/lib"]
const LIBRARY = "libnss_wrapper.so"

export interface UserNameOptions {
  /** Add a line to /etc/passwd, as git-sync's --add-user asks for. */
  addUser?: boolean
  /** The file of users; /etc/passwd unless given. */
  passwd?: string
  log: Log
}

/**
 * The variables with which a child process of this user finds a name for it: ssh ends with "No user exists for uid" for
 * a user that /etc/passwd does not list, as with a pod's runAsUser or OpenShift's. Empty where there is a name, or no
 * way to give one, which is logged. Throws `git-sync/add-user` when `addUser` is set and the file cannot be written.
 */
export async function userNameEnvironment(options: UserNameOptions): Promise<Record<string, string>> {
  const { passwd = "/etc/passwd", log } = options
  if (await hasName(passwd)) return {}
  const line = `headrace:x:${process.getuid?.()}:${process.getgid?.()}::${process.env.HOME ?? "/"}:/sbin/nologin\n`
  const library = await findLibrary()
  if (library !== undefined) return wrapped(library, line, passwd)
  if (!options.addUser) {
    log.warn(
      { uid: process.getuid?.() },
      "this user has no name, so ssh will fail: install nss_wrapper, or run as a user of /etc/passwd",
    )
    return {}
  }
  await appendFile(passwd, line).catch((cause: unknown) => {
    throw new HeadraceError("git-sync/add-user", `${passwd} cannot be written, and this user has no name`, {
      hint: "Make it writable for this user, or install nss_wrapper (Debian: libnss-wrapper).",
      cause,
    })
  })
  return {}
}

async function hasName(passwd: string): Promise<boolean> {
  if (passwd === "/etc/passwd") {
    try {
      userInfo()
      return true
    } catch {
      return false
    }
  }
  const text = await readFile(passwd, "utf8").catch(() => "")
  return text.split("\n").some((line) => line.split(":")[2] === String(process.getuid?.()))
}

async function wrapped(library: string, line: string, passwd: string): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-user-"))
  const users = join(folder, "passwd")
  const before = await readFile(passwd, "utf8").catch(() => "")
  await writeFile(users, `${before.trimEnd()}\n${line}`.trimStart())
  return { LD_PRELOAD: library, NSS_WRAPPER_PASSWD: users, NSS_WRAPPER_GROUP: "/etc/group" }
}

async function findLibrary(): Promise<string | undefined> {
  for (const folder of LIBRARY_FOLDERS) {
    const names = await readdir(folder).catch(() => [])
    const places = [
      "",
      ...names.filter((name) => name.endsWith("-linux-gnu") || name.endsWith("-linux-musl")),
    ]
    for (const place of places) {
      const found = (await readdir(join(folder, place)).catch(() => [])).find((name) =>
        name.startsWith(LIBRARY),
      )
      if (found !== undefined) return join(folder, place, found)
    }
  }
  return undefined
}
