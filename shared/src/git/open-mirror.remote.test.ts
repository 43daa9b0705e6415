import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setImmediate as turn } from "node:timers/promises"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { withConnectProxy } from "@headrace/test/harness/with-connect-proxy"
import { withFolder } from "@headrace/test/harness/with-folder"
import { type GitServer, withGitServer } from "@headrace/test/harness/with-git-server"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { createAuthority, withTlsDoor } from "@headrace/test/harness/with-tls"
import { describe, expect, it } from "vitest"
import { createLog } from "../observe/log.ts"
import { authFromSettings } from "./auth-from-settings.ts"
import { type MirrorOptions, openMirror } from "./open-mirror.ts"

function serving(fn: (server: GitServer, repo: TestRepo) => Promise<void>): Promise<void> {
  return withRepo((repo) => withGitServer(repo.folder, (server) => fn(server, repo)))
}

/** Fetches once with a new mirror. */
async function fetchOnce(repo: TestRepo, options: Pick<MirrorOptions, "url"> & Partial<MirrorOptions>) {
  const log = createLog("test", { level: "silent" })
  const folder = join(repo.scratch, "mirrors")
  const mirror = await openMirror({ name: "m", branch: "main", folder, log, ...options })
  try {
    return await mirror.fetch()
  } finally {
    await mirror.close()
  }
}

describe("a mirror over HTTP", () => {
  it("is fetched by the proxy of its source, and checked against its authorities", () =>
    withFolder(async (folder) => {
      const authority = await createAuthority(folder)
      const certificate = await authority.certify("server", ["git.invalid"])
      await serving(async (server, repo) => {
        const commit = await repo.commit({ a: "1" })
        const { port, pathname } = new URL(server.url)
        await withTlsDoor({ port: Number(port), certificate }, (door) =>
          withConnectProxy(async (proxy) => {
            const url = `https://git.invalid:${door.port}${pathname}`
            const by = { url, proxy: proxy.url }
            await expect(fetchOnce(repo, by)).rejects.toMatchObject({ code: "git/unreachable" })
            expect((await fetchOnce(repo, { ...by, caFile: authority.ca })).commit).toBe(commit)
            expect(new Set(proxy.tunnels)).toEqual(new Set([`git.invalid:${door.port}`]))
          }),
        )
      })
    }))

  it("is fetched without credentials where none are asked for", () =>
    serving(async (server, repo) => {
      const commit = await repo.commit({ a: "1" })
      expect(await fetchOnce(repo, { url: server.url })).toEqual({ commit, seq: 2 })
      expect(server.authorizations.filter(Boolean)).toEqual([])
    }))

  it("costs as little as git ls-remote where nothing is new, as polls mostly find", () =>
    serving(async (server, repo) => {
      await repo.commit({ a: "1" })
      const folder = join(repo.scratch, "mirrors")
      const log = createLog("test", { level: "silent" })
      const mirror = await openMirror({ name: "m", branch: "main", folder, log, url: server.url })
      await mirror.fetch()
      const requestsOf = async (ask: () => Promise<unknown>) => {
        const before = server.authorizations.length
        await ask()
        return server.authorizations.length - before
      }
      const nothingNew = await requestsOf(() => mirror.fetch())
      expect(nothingNew).toBe(await requestsOf(() => repo.git("ls-remote", server.url, "refs/heads/main")))
      await repo.commit({ a: "2" })
      expect(await requestsOf(() => mirror.fetch())).toBeGreaterThan(nothingNew)
      await mirror.close()
    }))

  it("releases its folder only when the fetch under way has ended, whose leftovers would be another's", () =>
    withRepo(async (repo) => {
      const asked = Promise.withResolvers<void>()
      const silent = createServer(() => asked.resolve())
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve))
      try {
        const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x.git`
        const folder = join(repo.scratch, "mirrors")
        const log = createLog("test", { level: "silent" })
        const mirror = await openMirror({ name: "m", branch: "main", folder, log, url })
        let hasEnded = false
        const fetching = mirror.fetch().catch(() => {
          hasEnded = true
        })
        await asked.promise
        await mirror.close()
        await turn()
        expect(hasEnded).toBe(true)
        await fetching
      } finally {
        silent.closeAllConnections()
        silent.close()
      }
    }))

  it("logs in with the token of a file, read again at each fetch", () =>
    serving(async (server, repo) => {
      const tokenFile = join(repo.scratch, "token")
      const auth = authFromSettings({ tokenFile })
      if (auth === undefined) throw new Error("no auth")
      for (const token of ["first-token", "second 'quoted' $token"]) {
        server.token = token
        await writeFile(tokenFile, `${token}\n`)
        const commit = await repo.commit({ a: token })
        expect((await fetchOnce(repo, { url: server.url, auth })).commit).toBe(commit)
      }
    }))

  it("names a wrong token and a missing one, without showing it", () =>
    serving(async (server, repo) => {
      server.token = "right"
      const auth = { kind: "token", token: async () => "wrong-secret" } as const
      const wrong = await fetchOnce(repo, { url: server.url, auth }).catch((error: unknown) => error)
      expect(wrong).toMatchObject({ code: "git/auth-failed" })
      expect(JSON.stringify(wrong) + String(wrong)).not.toContain("wrong-secret")
      await expect(fetchOnce(repo, { url: server.url })).rejects.toMatchObject({ code: "git/auth-failed" })
    }))

  it("gives the token to no other server that it is sent on to", () =>
    serving(async (server, repo) => {
      await withGitServer(repo.folder, async (other) => {
        other.token = "secret"
        server.redirect = other.url
        const auth = { kind: "token", token: async () => "secret" } as const
        await expect(fetchOnce(repo, { url: server.url, auth })).rejects.toMatchObject({
          code: "git/auth-failed",
        })
        expect(other.authorizations.length).toBeGreaterThan(0)
        expect(other.authorizations.filter(Boolean)).toEqual([])
      })
    }))

  it("names a repository that is not there", () =>
    serving(async (server, repo) => {
      await expect(fetchOnce(repo, { url: `${server.url}-gone` })).rejects.toMatchObject({
        code: "git/repository-missing",
      })
    }))

  it("takes installation tokens of a GitHub App from its issuer", () =>
    serving(async (server, repo) => {
      server.token = "installation-7"
      const app = { appId: 1, installationId: 7, privateKeyFile: "/key" }
      const auth = authFromSettings(
        { githubApp: app },
        async ({ installationId }) => `installation-${installationId}`,
      )
      if (auth === undefined) throw new Error("no auth")
      expect((await fetchOnce(repo, { url: server.url, auth })).seq).toBe(1)
    }))

  it.each([
    ["http://example.com/x", "git/insecure-token"],
    ["git@example.com:x/y", "git/insecure-token"],
  ])("refuses to send a token in clear to %s", (url, code) =>
    withRepo(async (repo) => {
      const auth = { kind: "token", token: async () => "secret" } as const
      await expect(fetchOnce(repo, { url, auth })).rejects.toMatchObject({ code })
    }),
  )

  it("refuses settings that name two ways to log in, or one that this program lacks", () => {
    const app = { appId: 1, installationId: 7, privateKeyFile: "/key" }
    expect(() => authFromSettings({ tokenFile: "a", sshKeyFile: "b" })).toThrow("more than one")
    expect(() => authFromSettings({ githubApp: app })).toThrow("GitHub App")
    expect(authFromSettings(undefined)).toBeUndefined()
  })
})

/** Runs `use` with a program in place of ssh that notes its arguments, then runs the remote command here. */
async function withLocalSsh<T>(repo: TestRepo, use: () => Promise<T>): Promise<T> {
  const bin = join(repo.scratch, "bin")
  await mkdir(bin)
  const script = `#!/bin/sh\nprintf '%s\\n' "$@" > '${repo.scratch}/args'\nfor last; do :; done\nexec sh -c "$last"\n`
  await writeFile(join(bin, "ssh"), script)
  await chmod(join(bin, "ssh"), 0o755)
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  try {
    return await use()
  } finally {
    process.env.PATH = path
  }
}

describe("a mirror over SSH", () => {
  it.each([
    [{}, "StrictHostKeyChecking=yes"],
    [{ sshHostKeys: "accept-new" }, "StrictHostKeyChecking=accept-new"],
    [{ sshHostKeys: "off" }, "StrictHostKeyChecking=no"],
  ] as const)("uses the key alone, whatever its path holds, with %o gets %s", (hostKeys, strictness) =>
    withRepo(async (repo) => {
      const commit = await repo.commit({ a: "1" })
      await withLocalSsh(repo, async () => {
        const sshKeyFile = "/it's/a key; touch x"
        const auth = authFromSettings({ sshKeyFile, sshKnownHostsFile: "/known hosts", ...hostKeys })
        if (auth === undefined) throw new Error("no auth")
        expect((await fetchOnce(repo, { url: `git@git.invalid:${repo.folder}`, auth })).commit).toBe(commit)
      })
      const args = (await readFile(join(repo.scratch, "args"), "utf8")).split("\n")
      expect(args).toEqual(
        expect.arrayContaining([
          "/it's/a key; touch x",
          strictness,
          "IdentitiesOnly=yes",
          'UserKnownHostsFile="/known hosts"',
          "git@git.invalid",
        ]),
      )
    }),
  )

  it.skipIf(notRoot() !== undefined)(
    `says who has to own a repository that git refuses, and works when that is so${whySkipped(notRoot())}`,
    () =>
      withRepo((repo) =>
        withLocalSsh(repo, async () => {
          const commit = await repo.commit({ a: "1" })
          const url = `git@git.invalid:${repo.folder}`
          await chown(join(repo.folder, ".git"), 54_321, 54_321)
          await expect(fetchOnce(repo, { url })).rejects.toMatchObject({
            code: "git/unsafe-owner",
            hint: expect.stringContaining("give it to the user who runs this"),
          })
          await chown(join(repo.folder, ".git"), 0, 0)
          expect((await fetchOnce(repo, { url })).commit).toBe(commit)
        }),
      ),
  )
})
