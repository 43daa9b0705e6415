import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { readRules } from "@headrace/bootstrapper/cli/read-rules"
import { missingRulesHint, rulesPathInRepository } from "@headrace/config/local/preflight/check-rules"
import { preflight } from "@headrace/config/local/preflight/preflight"
import { checkSchedule } from "@headrace/plugin/run-plugin"
import { suggestion } from "@headrace/shared/foundation/closest-word"
import { type ErrorCode, errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import type { IsolatedRepository } from "@headrace/shared/git/checkout/isolated-repository"
import { mergeBase } from "@headrace/shared/git/checkout/work-tree"
import { openMirror } from "@headrace/shared/git/open-mirror"
import { loadKubeConfig } from "@headrace/shared/kube/client-node/load-kube-config"
import { checkRedis } from "@headrace/shared/lanes/check-redis"
import { findRedisUrl } from "@headrace/shared/lanes/find-redis-url"
import { createLog } from "@headrace/shared/observe/log"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { withRedis } from "../harness/with-redis.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"

// Wrong inputs of every kind, each with what is wrong, where, and what to do. Flags are in flags.test.ts.

const log = createLog("test", { level: "silent" })
const NOBODY = 65_534
let folder = ""

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "headrace-wrong-"))
  writeFileSync(join(folder, "file"), "")
  mkdirSync(join(folder, "plain"))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The error that something ends with. */
async function failure(work: () => unknown): Promise<HeadraceError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof HeadraceError) return error
    throw error
  }
  throw new Error("it did not fail")
}

async function expectFailure(
  work: () => unknown,
  { code, message, hint }: { code: ErrorCode; message: RegExp; hint?: RegExp },
): Promise<void> {
  const error = await failure(work)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  if (hint) expect(error.hint).toMatch(hint)
}

function fetchOf(url: string, branch: string): Promise<unknown> {
  return withFolder(async (mirrors) => {
    const mirror = await openMirror({ name: "s", url, branch, folder: mirrors, log })
    try {
      return await mirror.fetch()
    } finally {
      await mirror.close()
    }
  })
}

describe("a repository", () => {
  it("without a commit is named so, bare or not", () =>
    withRepo(async ({ git, scratch }) => {
      for (const [place, ...flags] of [["work"], ["bare.git", "--bare"]] as const) {
        const empty = join(scratch, place)
        await git("init", "--quiet", ...flags, empty)
        await expectFailure(() => fetchOf(empty, "main"), {
          code: "git/empty",
          message: /has no commits yet/,
          hint: /Commit to it/,
        })
      }
    }))

  it("that is no folder, no repository or a file is named so", async () => {
    const cases = [
      ["absent", /there is no folder .*absent/, /path of a git repository/],
      ["plain", /plain is no git repository/, /git init/],
      ["file", /file is a file, not a git repository/, /holds \.git/],
    ] as const
    for (const [name, message, hint] of cases) {
      const code = "git/repository-missing"
      await expectFailure(() => fetchOf(join(folder, name), "main"), { code, message, hint })
    }
  })

  it("that lacks the branch is named with the branches that it has", () =>
    withRepo(async ({ folder: url, git }) => {
      await git("branch", "release-1.2")
      const cases = [
        ["mian", /did you mean "main"/],
        ["release-12", /did you mean "release-1.2"/],
        ["develop", /Choose one of: main, release-1.2/],
      ] as const
      for (const [branch, hint] of cases) {
        const message = new RegExp(`has no branch ${branch}`)
        await expectFailure(() => fetchOf(url, branch), { code: "git/branch-missing", message, hint })
      }
    }))

  it("whose mirrors this user may not write is named by that folder", async () => {
    const mirrors = join(folder, "locked/mirrors")
    mkdirSync(join(folder, "locked"), { mode: 0o500 })
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(NOBODY)
    try {
      await expectFailure(() => openMirror({ name: "s", url: "/x", branch: "main", folder: mirrors, log }), {
        code: "git/mirrors-unwritable",
        message: /cannot write to .*\/locked\/mirrors/,
        hint: /as mirrors in the settings/,
      })
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  it.each(["/proc/mirrors", "file/mirrors"])(
    "whose mirrors cannot be at %s is named by that folder",
    (place) =>
      expectFailure(
        () =>
          openMirror({
            name: "s",
            url: "/x",
            branch: "main",
            folder: join(place.startsWith("/") ? "" : folder, place),
            log,
          }),
        {
          code: "git/mirrors-unwritable",
          message: /cannot write to .*mirrors, where mirrors are kept/,
          hint: /as mirrors in the settings/,
        },
      ),
  )
})

describe("the path of rules", () => {
  it("of this machine is answered with the path inside of the repository", () =>
    withRepo(async (repo) => {
      const given = join(repo.folder, "config/plugins.yaml")
      const hint = /--rules config\/plugins\.yaml/
      const code = "local/rules-path"
      await expectFailure(() => rulesPathInRepository(repo.folder, given), {
        code,
        message: /no path inside/,
        hint,
      })
      const outside = { code, message: /no path inside/, hint: /as the repository has it/ } as const
      await expectFailure(() => rulesPathInRepository(repo.folder, "/etc/plugins.yaml"), outside)
      await expectFailure(() => rulesPathInRepository(repo.folder, "./plugins.yaml"), outside)
      await expectFailure(() => rulesPathInRepository("https://example.com/a/b", "/etc/p.yaml"), outside)
      expect(rulesPathInRepository(repo.folder, "config/plugins.yaml")).toBe("config/plugins.yaml")
    }))

  it("that exists and is not committed is answered with what to type", () =>
    withRepo(async ({ folder: repo }: TestRepo) => {
      writeFileSync(join(repo, "plugins.yaml"), "config_updater: {}\n")
      expect(missingRulesHint(repo, "plugins.yaml")).toMatch(/exists, but is not .*git add plugins\.yaml/)
      expect(missingRulesHint(repo, "other.yaml")).toMatch(/path of the rules inside the repository/)
    }))

  it.each([
    ["a chart", "apiVersion: v2\nname: chart\nversion: 1.0.0\n"],
    ["a deployment", "kind: Deployment\nmetadata: {name: a}\n"],
    ["a package", '{"name": "a", "scripts": {}}'],
  ])("to %s is refused: it has no config_updater", (_, text) => {
    const { rules, problems } = parseRules(text, "helm/Chart.yaml")
    expect(rules).toBeUndefined()
    expect(problems).toMatchObject([
      {
        severity: "error",
        code: "rules/no-section",
        message: expect.stringContaining("config_updater"),
        file: "helm/Chart.yaml",
        line: 1,
      },
    ])
  })

  it.each([
    ["", "the rules file is empty"],
    ["# void\n", "the rules file is empty"],
    ["- a\n", 'the rules file is not a mapping with "config_updater" in it'],
    ["text", 'the rules file is not a mapping with "config_updater" in it'],
  ])("to %j is refused with what a rules file begins with", (text, message) => {
    expect(parseRules(text, "void.yaml").problems).toMatchObject([
      { message, hint: 'Name a plugins.yaml, or begin one with "config_updater:".', line: 1 },
    ])
  })

  it("that is misspelt is answered with the file beside it", () =>
    withFolder(async (place) => {
      writeFileSync(join(place, "plugins.yaml"), "")
      const code = "rules/not-found"
      const near = {
        code,
        message: /cannot read the rules/,
        hint: /did you mean .*\/plugins\.yaml\?/,
      } as const
      await expectFailure(() => readRules(join(place, "plugin.yaml"), []), near)
      await expectFailure(() => readRules("plugin.yaml", [place]), near)
      const far = { code, message: /cannot read the rules/, hint: /Give the path/ } as const
      await expectFailure(() => readRules(join(place, "rules.yaml"), []), far)
    }))

  it.each(["plugins: {}\n", "{}\n", "approve: []\nlgtm: []\n"])("to Prow's own %j stays good", (text) => {
    expect(parseRules(text, "plugins.yaml").rules).toBeDefined()
  })
})

describe("up, before it starts anything", () => {
  const options = { port: 0, redisUrl: undefined }

  it.each([
    ["file", /is a file/],
    ["file/below", /no folder can be made there \(ENOTDIR\)/],
    ["/proc/x", /no folder can be made there/],
  ])("names a target that cannot be: %s", (target, message) =>
    expectFailure(
      () => preflight({ ...options, target: target.startsWith("/") ? target : join(folder, target) }),
      {
        code: "local/target",
        message,
        hint: /Give --target a folder/,
      },
    ),
  )

  it("refuses a target that is a work tree", () =>
    withRepo(({ folder: target }) =>
      expectFailure(() => preflight({ ...options, target }), {
        code: "local/target",
        message: /is a git work tree/,
        hint: /outside of it/,
      }),
    ))

  it("names the process that has the target, and takes over from one that has ended", () =>
    withFolder(async (target) => {
      const release = await preflight({ ...options, target })
      await expectFailure(() => preflight({ ...options, target }), {
        code: "local/target-taken",
        message: new RegExp(`process id ${process.pid}`),
        hint: new RegExp(`kill ${process.pid}`),
      })
      await release()
      writeFileSync(join(target, ".headrace-up"), JSON.stringify({ pid: process.pid, started: "1" }))
      await (await preflight({ ...options, target }))()
      writeFileSync(join(target, ".headrace-up"), "half wri")
      await (await preflight({ ...options, target }))()
    }))

  it("names the process that has the state, or shows a branch in a folder above the target", () =>
    withFolder(async (folder) => {
      const stat = readFileSync(`/proc/${process.ppid}/stat`, "utf8")
      const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]
      const [state, target] = [join(folder, "state"), join(folder, "target")]
      mkdirSync(state)
      writeFileSync(join(state, ".headrace-up"), JSON.stringify({ pid: process.ppid, started }))
      await expectFailure(() => preflight({ ...options, target, state }), {
        code: "local/state-taken",
        message: new RegExp(`process id ${process.ppid}`),
        hint: /another --state/,
      })
      await expectFailure(() => preflight({ ...options, target: join(state, "default") }), {
        code: "local/target-taken",
        message: new RegExp(`inside of .*process id ${process.ppid}`),
        hint: /another --target/,
      })
      await (await preflight({ ...options, target }))()
    }))

  it.each(["/", "/etc", "/tmp/../usr"])("refuses %s, a folder of the system", (target) =>
    expectFailure(() => preflight({ ...options, target: resolve(target) }), {
      code: "local/target",
      message: /is a folder of the system/,
      hint: /folder of its own/,
    }),
  )

  it("names the program that has the port, and releases the target", () =>
    withFolder(async (target) => {
      const { server, port } = await listening()
      try {
        await expectFailure(() => preflight({ ...options, target, port }), {
          code: "local/port",
          message: new RegExp(`port ${port} is in use by .*process id ${process.pid}`),
          hint: /another --port/,
        })
      } finally {
        server.close()
      }
      await (await preflight({ ...options, target, port }))()
    }))

  it("names a Redis that refuses the connection", () =>
    withFolder((target) =>
      expectFailure(() => preflight({ ...options, target, redisUrl: "redis://127.0.0.1:1" }), {
        code: "lanes/redis-unavailable",
        message: /at 127\.0\.0\.1:1 refuses the connection/,
        hint: /Start it, or correct host and port/,
      }),
    ))

  it("names a server that does not answer as Redis does", () =>
    withFolder(async (target) => {
      const { server, port } = await listening()
      try {
        await expectFailure(() => preflight({ ...options, target, redisUrl: `redis://127.0.0.1:${port}` }), {
          code: "lanes/redis-unavailable",
          message: /does not answer/,
          hint: /TLS/,
        })
      } finally {
        server.close()
      }
    }))
})

it("a Redis without TLS is named where the URL is rediss://", () =>
  withFolder(async () => {
    const { server, port } = await listening()
    try {
      await expectFailure(() => checkRedis(`rediss://127.0.0.1:${port}`, 300), {
        code: "lanes/redis-unavailable",
        message: /over TLS does not answer/,
        hint: /^Write redis:\/\/ if that server has no TLS/,
      })
    } finally {
      server.close()
    }
  }))

it.each([
  ["", undefined],
  ["redis://a", "redis://a"],
  [undefined, undefined],
])("REDIS_URL as %j gives %j: an empty variable counts as none", async (REDIS_URL, url) => {
  expect(await findRedisUrl({}, undefined, { REDIS_URL })).toBe(url)
})

it.each([
  ["* * *", false],
  ["0 * * * * *", false],
  ["", false],
  ["hourly", false],
  ["@hour", false],
  ["0 * * * *", true],
  [" */15 8-18 * * MON-FRI ", true],
  ["@hourly", true],
])("a schedule of %j has five fields, or a name: %j", (schedule, good) => {
  const check = () => checkSchedule(schedule)
  if (good) return expect(check).not.toThrow()
  return expectFailure(async () => check(), {
    code: "plugin/schedule",
    message: /is not a cron pattern$/,
    hint: /^Give five fields/,
  })
})

it("a base that the clone does not have is answered with the branch that may be meant", () =>
  withRepo(async ({ folder: top, commit, git }) => {
    await commit({ a: "1" })
    await git("update-ref", "refs/remotes/origin/main", "HEAD")
    const base = (name: string) => () => mergeBase({ gitDir: join(top, ".git") } as IsolatedRepository, name)
    const code = "git/branch-missing"
    await expectFailure(base("mian"), {
      code,
      message: /no branch, tag or commit mian/,
      hint: /did you mean "main"/,
    })
    await expectFailure(base("orgin/main"), { code, message: /orgin/, hint: /did you mean "origin\/main"/ })
    await expectFailure(base("origin/release"), {
      code,
      message: /release/,
      hint: /git fetch origin release/,
    })
  }))

it("a Redis that refuses the password is named so, with none, a wrong one and a wrong user", () =>
  withRedis(
    async ({ port }) => {
      for (const login of ["", ":wrong@", "nobody:right@"]) {
        await expectFailure(() => checkRedis(`redis://${login}127.0.0.1:${port}`, 5000), {
          code: "lanes/redis-unavailable",
          message: /refuses the user or the password|wants a password/,
          hint: /the password in the Redis URL/,
        })
      }
      await checkRedis(`redis://:right@127.0.0.1:${port}`, 5000)
    },
    { args: ["--requirepass", "right"] },
  ))

describe("settings", () => {
  it("of the other program are named so", async () => {
    const agents = "projections: {}\nrecord: headrace/a\n"
    const operators = "version: 1\nsources: {}\nclusters: {}\n"
    const code = "settings/other-file"
    const message = /f\.yaml is the operator's file, and the agent's is expected/
    await expectFailure(() => parseSettings(operators, "f.yaml", AgentSettings), { code, message })
    const other = /f\.yaml is the agent's file, and the operator's is expected/
    for (const text of [agents, "record: headrace/a\neveryTarget: {path: /x}\n"])
      await expectFailure(() => parseSettings(text, "f.yaml", OperatorSettings), { code, message: other })
  })

  it("that leave a cluster to others do not list it too", async () => {
    const text = "version: 1\nsources: {}\nclusters: {a: {inCluster: true}}\notherClusters: [b, a]\n"
    await expectFailure(() => parseSettings(text, "f.yaml", OperatorSettings), {
      code: "settings/invalid",
      message: /f\.yaml:4:20: .*"a" is under "clusters" too/,
    })
  })

  it.each(["/nokube", "nokube", "/proc/nokube"])(
    "that name the missing kubeconfig %s are named by file and line",
    (kubeconfig) =>
      withFolder(async (place) => {
        const file = join(place, "headrace.yaml")
        writeFileSync(file, `version: 1\nsources: {}\nclusters:\n  b:\n    kubeconfig: ${kubeconfig}\n`)
        const { clusters } = await loadOperatorSettings(file)
        await expectFailure(() => loadKubeConfig("b", clusters.b ?? {}), {
          code: "kube/kubeconfig",
          message: new RegExp(`headrace.yaml:5:\\d+: cluster "b": there is no kubeconfig ${kubeconfig}`),
          hint: /correct its path/,
        })
      }),
  )

  it.each([
    ["server: http://10.0.0.1:6443", /the server http:\/\/10\.0\.0\.1:6443 has no TLS/, /https:\/\//],
    ["server: build01:6443", /the server build01:6443 of the cluster "c" is no URL/, /https:\/\/HOST:6443/],
    ["proxy-url: x", /clusters\.0\.cluster\.server: /, /kubectl config view/],
  ])("that name a kubeconfig with %s are named by file and line", (cluster, why, hint) =>
    withFolder(async (place) => {
      const kubeconfig = join(place, "kubeconfig")
      const parts = ["current-context: c", "users: []", "contexts: [{name: c, context: {cluster: c}}]"]
      writeFileSync(
        kubeconfig,
        `${parts.join("\n")}\nclusters: [{name: c, cluster: {"${cluster.replace(": ", '": "')}"}}]\n`,
      )
      const file = join(place, "headrace.yaml")
      writeFileSync(file, `version: 1\nsources: {}\nclusters:\n  b:\n    kubeconfig: ${kubeconfig}\n`)
      const { clusters } = await loadOperatorSettings(file)
      await expectFailure(() => loadKubeConfig("b", clusters.b ?? {}), {
        code: "kube/kubeconfig",
        message: why,
        hint,
      })
      await expectFailure(() => loadKubeConfig("b", clusters.b ?? {}), {
        code: "kube/kubeconfig",
        message: /headrace\.yaml:5:\d+: cluster "b": /,
      })
    }),
  )

  it("that name a folder as kubeconfig are named by both", () =>
    expectFailure(() => loadKubeConfig("b", { kubeconfig: join(folder, "plain") }), {
      code: "kube/kubeconfig",
      message: /cluster "b": kubeconfig .*plain: it is a folder, not a file/,
    }))

  it.each([
    "projections: {a: {path: rel, from: [{configMap: {namespace: ci, name: a}}]}}",
    "projections: {a: {path: ./rel, from: [{configMap: {namespace: ci, name: a}}]}}",
    "record: headrace/a\neveryTarget: {path: ../rel}",
  ])("of the agent with a relative path are refused: %s", (text) =>
    expectFailure(() => parseSettings(`version: 1\n${text}\n`, "agent.yaml", AgentSettings), {
      code: "settings/invalid",
      message: /agent\.yaml:\d+:\d+: .*path: expected an absolute path, such as \/var/,
    }),
  )
})

describe("settings with a wrong value", () => {
  const urlOf = (url: string) => `version: 1\nsources: {a: {url: "${url}", branch: main, rules: r.yaml}}\n`
  const source = (text: string) =>
    `version: 1\nsources:\n  a: {url: /r, branch: main, rules: r.yaml, ${text}}\n`

  it.each([
    ["", /the document: expected a mapping/],
    ["- a\n", /1:1: .*expected a mapping/],
    ["version: 1\nsources:\n\ta: 1\n", /3:1: .*tab characters/],
    ["version: 1\nsources: {}\nsources: {}\n", /3:1: .*"sources" appears twice.*line 2/],
    ["version: 1\nsorces: {}\n", /2:1: .*unknown field "sorces".*did you mean "sources"/],
    ["version: 1\nsources:\n  a:\n", /3:3: .*sources\.a: expected a mapping, found null/],
    [source("poll: 30"), /3:\d+: .*poll: expected a duration such as 30s/],
    [source("poll: 30sec"), /poll: expected a duration such as 30s/],
    [source("strict: yes"), /strict: expected true or false, found string/],
    [source("repo: config"), /repo: expected ORG\/NAME/],
    [source("auth: {tokenFile: ''}"), /tokenFile: expected text, and this is empty/],
    [source("repo: 1.0"), /repo: expected string, found number; put it in quotes/],
    [`${source("")}guard: {deletedKeys: 20}\n`, /deletedKeys: expected a percentage such as 20%/],
    [`${source("")}namespace: My_Space\n`, /namespace: expected a namespace/],
    [`${source("")}mirrors: ""\n`, /mirrors: expected text, and this is empty/],
    [`${source("")}webhook: {secretFiles: []}\n`, /secretFiles: expected at least one item/],
    [`${source("")}github: {apiUrl: api.github.com}\n`, /apiUrl: expected a URL such as https/],
    [urlOf("htps://github.com/a/b"), /2:\d+: .*url: expected https:.*found htps:\/\/; did you mean https\?/],
    [urlOf("https:/github.com/a/b"), /url: expected https:.*found https:\/; did you mean https:\/\/\?/],
    [urlOf("ext::sh -c x"), /url: expected https:.*found ext::/],
    [
      "version: 1\nsources: {ab: {url: /r, branch: m, rules: {source: ba, path: p}}}\n",
      /no source "ba": Choose one of: ab/,
    ],
  ])("names place and remedy: %j", (text, message) =>
    expectFailure(() => parseSettings(text, "headrace.yaml", OperatorSettings), {
      code: "settings/invalid",
      message,
    }),
  )

  it.each(["https://me:secret@example.com/a/b", "https://secret@example.com/a/b", "ssh://me:secret@host/a"])(
    "keeps the credentials of %s out of its message",
    async (url) => {
      const text = `version: 1\nsources: {a: {url: "${url}", branch: main, rules: r.yaml}}\n`
      const error = await failure(() => parseSettings(text, "headrace.yaml", OperatorSettings))
      expect(error.message).toMatch(/url: expected a URL without user and password; .*auth\.tokenFile/)
      expect(error.message).not.toContain("secret")
    },
  )

  it.each([
    "ssh://git@example.com/a/b",
    "git@example.com:a/b",
    "host:/srv/a.git",
    "HTTPS://example.com/a",
    "https://example.com/a@b",
    "/srv/a:b",
  ])("takes %s, which has none", (url) => {
    const text = `version: 1\nsources: {a: {url: "${url}", branch: main, rules: r.yaml}}\n`
    expect(parseSettings(text, "headrace.yaml", OperatorSettings).sources.a?.url).toBe(url)
  })

  it("that cannot be read is named with the reason in words", async () => {
    const cases = [
      ["absent.yaml", /there is no such file or folder \(ENOENT\)/],
      ["plain", /it is a folder, not a file \(EISDIR\)/],
      ["file/below.yaml", /a part of the path is a file/],
    ] as const
    for (const [name, reason] of cases) {
      const error = await failure(() => loadOperatorSettings(join(folder, name)))
      expect([error.code, errorText(error)]).toEqual(["settings/unreadable", expect.stringMatching(reason)])
    }
  })
})

it("rules that are a folder beneath the source path are named so, and none as missing", async () => {
  const [file, sourcePath] = ["plain", folder]
  await expectFailure(() => readRules(file, [sourcePath]), {
    code: "rules/not-found",
    message: /cannot read the rules plain/,
  })
  expect(errorText(await failure(() => readRules(file, [sourcePath])))).toContain(
    "it is a folder, not a file",
  )
  expect(errorText(await failure(() => readRules("absent", [sourcePath])))).toContain("there is no such file")
})

it("a name among very many is answered with the nearest three", () => {
  const globs = Array.from({ length: 40 }, (_, index) => `config/jobs/team-${index}/**/*.yaml`)
  const hint = suggestion("config/jbs/tm-3/nothing-like-it", globs)
  expect(hint).toMatch(/^Choose one of the 40; the nearest are (\S+, ){2}\S+\.$/)
  expect(suggestion("config/jobs/team-3/*/*.yaml", globs)).toContain(
    'did you mean "config/jobs/team-3/**/*.yaml"',
  )
  expect(suggestion("x", ["one", "two"])).toBe("Choose one of: one, two.")
})

function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resolve({ server, port: typeof address === "object" && address ? address.port : 0 })
    })
  })
}
