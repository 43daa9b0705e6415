import { withOperator } from "@headrace/test/harness/with-operator"
import { expect, it } from "vitest"

const RULES = `config_updater:
  maps:
    good/*: {name: good, clusters: {east: [ci]}}
    bad/*: {name: bad, clusters: {east: [ci]}}
`

it("prints record, lag, hold, failures and sizes, in text and in JSON", () =>
  withOperator(async ({ repo, run, runJson, writeConfig }) => {
    const first = await repo.commit({ "rules.yaml": RULES, "good/a": "12345", "good/b": "678" })
    await run("apply", "--direct")
    await repo.commit({ "bad/no key": "x" })
    const third = await repo.commit({ "good/a": "1" })
    const failing = { code: 1, stdout: expect.stringContaining("ci/bad") }
    expect(await run("apply", "--direct")).toMatchObject(failing)
    await run("hold", "--reason", "freeze", "--by", "me", "--until", "2099-01-01T00:00:00Z")
    const tip = await repo.commit({ "good/a": "2" })

    const { places } = await runJson("status")
    expect(places).toMatchObject([
      {
        ...{ cluster: "east", source: "release", state: "held", commit: third, tip, behind: 1 },
        token: { seq: 4 },
        hold: { commit: third, by: "me", reason: "freeze", until: "2099-01-01T00:00:00.000Z" },
        stopped: null,
        intents: [],
        failed: [{ target: "ci/bad", reason: expect.stringContaining("no key"), since: expect.any(String) }],
        failedMore: 0,
        nodes: { total: 0 },
        store: { targets: 2, files: 2, bytes: 4 },
      },
    ])
    const { stdout } = await run("status")
    const short = (commit: string) => commit.slice(0, 12)
    expect(stdout).toContain(
      `✗ release in east  held, targets failed  ${short(third)}  1 behind  no node reports\n`,
    )
    expect(stdout).toContain(`held at ${short(third)} by me until 2099-01-01T00:00:00.000Z: freeze\n`)
    const flat = stdout.replace(/\s+/g, " ")
    expect(flat).toMatch(
      /ci\/bad failed since \d{4}-\S+ \(.* ago\): .*no key.*Tried again with the next commit\. \w+/,
    )
    expect(flat).toContain("→ headrace-bootstrapper release ")
    expect(stdout).not.toContain(short(first))
    await writeConfig({ redis: { urlFile: "/nowhere/url" } })
    const unfetched = await run("status", "--no-fetch")
    expect(unfetched).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`held, targets failed  ${short(third)}  no node reports\n`),
    })
    expect(unfetched.stdout.replace(/\s+/g, " ")).toContain(
      "! when lanes last succeeded is not known: cannot read the Redis URL from /nowhere/url",
    )
  }))

it("counts no commits where the branch was rewritten, and says so", () =>
  withOperator(async ({ repo, run, runJson }) => {
    await repo.commit({ "rules.yaml": RULES, "good/a": "1" })
    const shown = await repo.commit({ "good/a": "2" })
    await run("apply", "--direct")
    await repo.git("reset", "--quiet", "--hard", "HEAD~1")
    await repo.commit({ "good/a": "3" })
    const tip = await repo.commit({ "good/a": "4" })

    expect((await runJson("status")).places).toMatchObject([{ state: "behind", tip, behind: null }])
    const { stdout } = await run("status")
    const short = (commit: string) => commit.slice(0, 12)
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `the branch was rewritten: it leads to ${short(tip)} and no longer to ${short(shown)}`,
    )
    expect(stdout).not.toMatch(/\d behind/)
  }))
