import { generateKeyPairSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { chmod, writeFile } from "node:fs/promises"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import { gitSyncOnce, withGitSync } from "../harness/run-git-sync.ts"
import { withGitServer } from "../harness/with-git-server.ts"
import { type GitSyncSite, withGitSyncSite } from "./git-sync-site.ts"
import { withScriptedAnswer } from "./scripted-answer.ts"

const USER = "x-access-token"

/** A site whose repository is served over HTTP to `x-access-token` with the password `s3cret:@/`. */
async function withLogin(
  fn: (site: GitSyncSite & { url: string; deny(): void }) => Promise<void>,
): Promise<void> {
  await withGitSyncSite(async (site) => {
    await withGitServer(site.repo.folder, async (server) => {
      server.token = PASSWORD
      const flags = site.flags.map((flag) => (flag.startsWith("--repo") ? `--repo=${server.url}` : flag))
      await fn({ ...site, flags, url: server.url, deny: () => (server.token = "another") })
    })
  })
}
const PASSWORD = "s3cret:@/"

async function withServer(listener: RequestListener, fn: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    await fn(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** No log line, error or file of the clone holds the password. */
function expectNoSecret(log: unknown, root: string): void {
  expect(JSON.stringify(log)).not.toContain("s3cret")
  expect(readFileSync(join(root, ".headrace/tree/.git/config"), "utf8")).not.toContain("s3cret")
}

describe("passwords", () => {
  it("auth_http_password, auth_http_password_in_url, auth_http_password_file: log in, and stand nowhere", async () => {
    await withLogin(async ({ repo, root, flags, file, url }) => {
      const passwordFile = join(repo.scratch, "password")
      await writeFile(passwordFile, `${PASSWORD}\n`)
      const inUrl = url.replace("http://", `http://${USER}:${encodeURIComponent(PASSWORD)}@`)
      const ways: [string[], Record<string, string>][] = [
        [[`--username=${USER}`], { GITSYNC_PASSWORD: PASSWORD }],
        [[`--username=${USER}`, `--password=${PASSWORD}`], {}],
        [[`--username=${USER}`, `--password-file=${passwordFile}`], {}],
        [[`--repo=${inUrl}`], {}],
        [[], { GITSYNC_CREDENTIAL: JSON.stringify({ url, username: USER, password: PASSWORD }) }],
        [[`--credential=${JSON.stringify([{ url, username: USER, "password-file": passwordFile }])}`], {}],
      ]
      for (const [step, [more, env]] of ways.entries()) {
        await repo.commit({ file: String(step) })
        const sync = await gitSyncOnce([...flags, ...more], env)
        expect(file()).toBe(String(step))
        expectNoSecret(sync.log(), root)
      }
    })
  })

  it("a wrong password is an error that does not show it", async () => {
    await withLogin(async ({ flags, deny, repo }) => {
      deny()
      const errorFile = join(repo.scratch, "error")
      const more = [`--username=${USER}`, "--max-failures=0", `--error-file=${errorFile}`]
      const failing = gitSyncOnce([...flags, ...more], { GITSYNC_PASSWORD: PASSWORD })
      await expect(failing).rejects.toMatchObject({ cause: { code: "git/auth-failed" } })
      expect(readFileSync(errorFile, "utf8")).not.toContain("s3cret")
    })
  })

  it("auth_password_file_reload: the file is read again at each sync", async () => {
    await withLogin(async ({ repo, flags, file }) => {
      const passwordFile = join(repo.scratch, "password")
      await writeFile(passwordFile, "old")
      const more = [`--username=${USER}`, `--password-file=${passwordFile}`]
      await withGitSync([...flags, ...more], async (sync) => {
        await expect.poll(() => sync.log().some(({ msg }) => msg === "the sync failed")).toBe(true)
        await writeFile(passwordFile, PASSWORD)
        await expect.poll(file).toBe("1")
      })
    })
  })
})

describe("--askpass-url", () => {
  it("auth_askpass_url_wrong_password, auth_askpass_url_correct_password", async () => {
    await withLogin(async ({ root, flags, file, url }) => {
      for (const [password, isRight] of [
        ["wrong", false],
        [PASSWORD, true],
      ] as const) {
        await withServer(
          (_, response) => response.end(`username=${USER}\npassword=${password}\n`),
          async (ask) => {
            const sync = gitSyncOnce([
              ...flags,
              "--max-failures=0",
              `--repo=${url}`,
              `--askpass-url=${ask}/pass`,
            ])
            if (!isRight) return expect(sync).rejects.toMatchObject({ cause: { code: "git/auth-failed" } })
            expectNoSecret((await sync).log(), root)
            expect(file()).toBe("1")
          },
        )
      }
    })
  })

  it("may be a script, whose lines end by LF alone; a program of --git finds the login for a path too", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      const git = join(repo.scratch, "git")
      const login = `printf 'url=file://${repo.folder}\\n\\n' | git credential fill > ${repo.scratch}/login`
      await writeFile(git, `#!/bin/sh\n[ "$1" != fetch ] || ${login} || exit 1\nexec git "$@"\n`, {
        mode: 0o755,
      })
      await withScriptedAnswer(`HTTP/1.1 200 OK\n\nusername=me\npassword=${PASSWORD}\n`, async (url) => {
        await gitSyncOnce([...flags, `--git=${git}`, `--askpass-url=${url}`, "--max-failures=0"])
      })
      expect(file()).toBe("1")
      expect(readFileSync(join(repo.scratch, "login"), "utf8")).toContain(`username=me\npassword=${PASSWORD}`)
    })
  })

  it("auth_askpass_url_sometimes_wrong, auth_askpass_url_flaky, auth_askpass_url_slow_start: a failure is retried at the next sync", async () => {
    await withLogin(async ({ flags, file }) => {
      let asked = 0
      function answer(): { status: number; password: string } {
        asked += 1
        if (asked === 1) return { status: 500, password: "" }
        return { status: 200, password: asked === 2 ? "wrong" : PASSWORD }
      }
      const listener: RequestListener = (_, response) => {
        const { status, password } = answer()
        response.writeHead(status).end(`username=${USER}\npassword=${password}`)
      }
      await withServer(listener, async (ask) => {
        await withGitSync([...flags, `--askpass-url=${ask}`], async (sync) => {
          await expect.poll(file).toBe("1")
          expect(sync.log().filter(({ msg }) => msg === "the sync failed").length).toBeGreaterThanOrEqual(2)
        })
      })
    })
  })
})

describe("a GitHub App", () => {
  it("auth_github_app_application_id, auth_github_app_client_id: its token logs in, and is kept", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    await withLogin(async ({ repo, root, flags, file }) => {
      const issuers: string[] = []
      const listener: RequestListener = (request, response) => {
        const [, claims = ""] = (request.headers.authorization ?? "").split(".")
        issuers.push(JSON.parse(Buffer.from(claims, "base64url").toString()).iss)
        const isRight = request.url === "/api/app/installations/7/access_tokens" && request.method === "POST"
        const expires = new Date(Date.now() + 3_600_000).toISOString()
        response.writeHead(isRight ? 201 : 404).end(JSON.stringify({ token: PASSWORD, expires_at: expires }))
      }
      await withServer(listener, async (api) => {
        const keyFile = join(repo.scratch, "key.pem")
        await writeFile(keyFile, key)
        const app = [`--github-base-url=${api}/api/`, "--github-app-installation-id=7"]
        const byFile = `--github-app-private-key-file=${keyFile}`
        const sync = await gitSyncOnce([...flags, ...app, byFile, "--github-app-application-id=42"])
        expectNoSecret(sync.log(), root)
        await repo.commit({ file: "2" })
        const env = { GITSYNC_GITHUB_APP_PRIVATE_KEY: key }
        await withGitSync(
          [...flags, ...app, "--github-app-client-id=Iv1.x"],
          async () => {
            await expect.poll(file).toBe("2")
            await repo.commit({ file: "3" })
            await expect.poll(file).toBe("3")
          },
          env,
        )
        expect(issuers).toEqual(["42", "Iv1.x"])
      })
    })
  })
})

it("asks for logins, and calls the webhook, through the proxy of the environment", async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  await withGitSyncSite(async ({ flags }) => {
    const asked: string[] = []
    const listener: RequestListener = ({ url = "" }, response) => {
      asked.push(url)
      const token = JSON.stringify({ token: PASSWORD, expires_at: new Date(Date.now() + 3_600_000) })
      if (url.includes("/installations/")) response.writeHead(201).end(token)
      else response.end(`username=${USER}\npassword=${PASSWORD}\n`)
    }
    await withServer(listener, async (proxy) => {
      vi.stubEnv("HTTP_PROXY", proxy)
      vi.stubEnv("NO_PROXY", "")
      try {
        const app = ["--github-base-url=http://github.test", "--github-app-installation-id=7"]
        await gitSyncOnce([...flags, ...app, "--github-app-application-id=42"], {
          GITSYNC_GITHUB_APP_PRIVATE_KEY: key,
        })
        const hook = "--webhook-url=http://hook.test/reload"
        await gitSyncOnce([...flags, "--askpass-url=http://pass.test/ask", hook])
      } finally {
        vi.unstubAllEnvs()
      }
    })
    expect(asked).toEqual([
      "http://github.test/app/installations/7/access_tokens",
      "http://pass.test/ask",
      "http://hook.test/reload",
    ])
  })
})

describe("SSH", () => {
  it("auth_ssh, auth_ssh_url: passes every key and the host keys, also in a user's own command", async () => {
    await withGitSyncSite(async ({ repo, flags, file }) => {
      // Runs the command here that it is asked to run there.
      const ssh = join(repo.scratch, "ssh")
      await writeFile(
        ssh,
        `#!/bin/sh\necho "$@" >> ${repo.scratch}/calls\nfor last; do :; done\nexec sh -c "$last"\n`,
      )
      await chmod(ssh, 0o755)
      const before = process.env.GIT_SSH_COMMAND
      process.env.GIT_SSH_COMMAND = ssh
      try {
        const keys = ["--ssh-key-file=/keys/a b", "--ssh-key-file=/keys/c"]
        await gitSyncOnce([
          ...flags,
          ...keys,
          `--repo=me@host:${repo.folder}`,
          "--ssh-known-hosts-file=/keys/known",
        ])
        expect(file()).toBe("1")
        await repo.commit({ file: "2" })
        await gitSyncOnce([...flags, `--repo=ssh://me@host${repo.folder}`, "--ssh-known-hosts=false"], {
          GITSYNC_SSH_KEY_FILE: "/keys/x:/keys/y",
        })
        expect(file()).toBe("2")
      } finally {
        if (before === undefined) delete process.env.GIT_SSH_COMMAND
        else process.env.GIT_SSH_COMMAND = before
      }
      const [first = "", ...others] = readFileSync(join(repo.scratch, "calls"), "utf8").trim().split("\n")
      expect(first).toContain("-i /keys/a b -i /keys/c -o StrictHostKeyChecking=yes")
      expect(first).toContain('UserKnownHostsFile="/keys/known"')
      expect(others.at(-1)).toContain("-i /keys/x -i /keys/y -o StrictHostKeyChecking=no")
    })
  })
})
