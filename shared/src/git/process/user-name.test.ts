import { execFileSync, spawnSync } from "node:child_process"
import { chmodSync, existsSync } from "node:fs"
import { join } from "node:path"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { gitFailure } from "./git-failure.ts"
import { userNameEnvironment } from "./user-name.ts"

/** A user that no /etc/passwd lists. */
const NAMELESS = 987_654
const isRoot = process.getuid?.() === 0
const MODULE = join(import.meta.dirname, "user-name.ts")

/** What a nameless user gets, as JSON; absent: nothing. */
function environmentOf(uid: number): Record<string, string> | undefined {
  const script = `import("${MODULE}").then((m) => process.stdout.write(JSON.stringify(m.userNameEnvironment() ?? null)))`
  const args = ["--conditions=source", "--input-type=module", "--eval", script]
  const { stdout, stderr } = spawnSync(process.execPath, args, { uid, gid: uid, encoding: "utf8", cwd: "/" })
  expect(stderr.replace(/^.*Warning.*$/gm, "").trim()).toBe("")
  return JSON.parse(stdout) ?? undefined
}

describe("the name of a user", () => {
  it("is there for the users of /etc/passwd, which need nothing", () => {
    expect(userNameEnvironment()).toEqual({})
  })

  it.runIf(isRoot && existsSync("/usr/bin/ssh"))(
    `lets ssh run for a user without one, where nss_wrapper is${whySkipped(isRoot && existsSync("/usr/bin/ssh") ? undefined : "needs root and /usr/bin/ssh")}`,
    () =>
      withFolder((folder) => {
        chmodSync(folder, 0o755)
        const env = environmentOf(NAMELESS)
        const ssh = (more: Record<string, string>) =>
          spawnSync("ssh", ["-G", "localhost"], {
            ...{ uid: NAMELESS, gid: NAMELESS, cwd: "/", encoding: "utf8" },
            env: { ...process.env, HOME: folder, ...more },
          })
        const without = ssh({})
        expect(without.stderr).toContain("No user exists for uid")
        expect(gitFailure("fetch", 128, without.stderr)).toMatchObject({ code: "git/no-user-name" })
        if (env === undefined) return
        const named = ssh(env)
        expect(named.status).toBe(0)
        expect(named.stdout).toContain("user headrace")
        expect(
          execFileSync("id", ["-un"], { uid: NAMELESS, env: { ...process.env, ...env } }).toString(),
        ).toBe("headrace\n")
      }),
  )
})
