import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"

/** Where Debian, Alpine and Fedora install nss_wrapper (nss_wrapper(1)). */
const LIBRARY_FOLDERS = ["/usr/lib", "/usr/lib64", "/lib"]
const LIBRARY = "libnss_wrapper.so"

let found: Record<string, string> | "no way" | undefined

/**
 * The variables with which a child process of this user finds a name for it: ssh ends with "No user exists for uid" for
 * a user that /etc/passwd does not list, as with a pod's runAsUser or OpenShift's. Empty where there is a name;
 * undefined where nss_wrapper, the only way to give one without writing /etc/passwd, is not installed.
 */
export function userNameEnvironment(): Record<string, string> | undefined {
  found ??= hasName() ? {} : (wrapped() ?? "no way")
  return found === "no way" ? undefined : found
}

function hasName(): boolean {
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

/** A line of passwd(5) for this user. */
export function userLine(): string {
  return `headrace:x:${process.getuid?.()}:${process.getgid?.()}::${process.env.HOME ?? "/"}:/sbin/nologin\n`
}

function wrapped(): Record<string, string> | undefined {
  const library = findLibrary()
  if (library === undefined) return undefined
  const users = join(mkdtempSync(join(tmpdir(), "headrace-user-")), "passwd")
  writeFileSync(users, `${readFileSync("/etc/passwd", "utf8").trimEnd()}\n${userLine()}`)
  return { LD_PRELOAD: library, NSS_WRAPPER_PASSWD: users, NSS_WRAPPER_GROUP: "/etc/group" }
}

function findLibrary(): string | undefined {
  for (const folder of LIBRARY_FOLDERS) {
    const places = ["", ...namesIn(folder).filter((name) => /-linux-(gnu|musl)/.test(name))]
    for (const place of places) {
      const name = namesIn(join(folder, place)).find((each) => each.startsWith(LIBRARY))
      if (name !== undefined) return join(folder, place, name)
    }
  }
  return undefined
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
