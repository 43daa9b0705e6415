import { readdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { programsThatRan, setForeignConfig } from "@headrace/test/harness/foreign-config"
import { createTestCluster, untilReady, untilShown, withAgent } from "@headrace/test/harness/with-agent"
import { withGitServer } from "@headrace/test/harness/with-git-server"
import { type TestRepo, withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"
import type { Agent, AgentPorts } from "../project/agent.ts"

const PATIENT = { timeout: 150_000 }

/** Runs an agent that shows a git source, given as YAML, at `tree` in the repository's scratch folder. */
async function withGitAgent(
  { scratch }: TestRepo,
  git: string,
  use: (agent: Agent, root: string) => Promise<void>,
  ports: Partial<AgentPorts> = {},
): Promise<void> {
  const yaml = `version: 1
mirrors: ${scratch}/mirrors
projections:
  tree: {path: ${scratch}/tree, durability: none, from: [{git: {${git}, poll: 50ms}}]}
`
  await withAgent(createTestCluster().kube, yaml, (agent) => use(agent, join(scratch, "tree")), ports)
}

async function reasons(agent: Agent, text: string): Promise<void> {
  await expect.poll(() => agent.readiness().reasons.join(), PATIENT).toContain(text)
}

it("follows a tag wherever it is moved, back too, annotated or not, with the paths that were chosen", async () => {
  await withRepo(async (repo) => {
    const first = await repo.commit({ "app/a": "1", other: "no" })
    await repo.git("tag", "-a", "-m", "a release", "live")
    const second = await repo.commit({ "app/a": "2" })
    await withGitAgent(
      repo,
      `url: ${repo.folder}, tag: live, paths: [app], strip: app`,
      async (agent, root) => {
        await untilShown(agent, first)
        expect(await readFile(join(root, "a"), "utf8")).toBe("1")
        await repo.git("tag", "-f", "live", second)
        await untilShown(agent, second)
        await repo.git("tag", "-f", "live", first)
        await untilShown(agent, first)
        expect(await readFile(join(root, "a"), "utf8")).toBe("1")
        await untilReady(agent)
      },
    )
    // What was raised to go back is no hindrance after a restart.
    const third = await repo.commit({ "app/a": "3" })
    await repo.git("tag", "-f", "live", third)
    await withGitAgent(repo, `url: ${repo.folder}, tag: live, paths: [app], strip: app`, async (agent) => {
      await untilShown(agent, third)
    })
  })
})

it("says that a tag is not there, keeps what it shows when it is deleted, and shows it when it comes", async () => {
  await withRepo(async (repo) => {
    const commit = await repo.commit({ a: "1" })
    await withGitAgent(repo, `url: ${repo.folder}, tag: v1`, async (agent, root) => {
      await reasons(agent, "waits for git v1")
      await reasons(agent, "has no tag v1")
      await repo.git("tag", "v1")
      await untilShown(agent, commit)
      await repo.git("tag", "-d", "v1")
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await readFile(join(root, "a"), "utf8")).toBe("1")
      expect(agent.readiness().ready).toBe(true)
    })
  })
})

it("shows a commit that no branch has, starts again without the server, and goes to an older one when configured to", async () => {
  await withRepo(async (repo) => {
    const older = await repo.commit({ a: "older" })
    const lost = await repo.commit({ a: "lost" })
    await repo.forcePush(older)
    const git = (commit: string) => `url: ${repo.folder}, commit: ${commit}`
    await withGitAgent(repo, git(lost), (agent) => untilShown(agent, lost))
    await rename(repo.folder, `${repo.folder}-away`)
    await withGitAgent(repo, git(lost), (agent) => untilReady(agent))
    await withGitAgent(repo, git("f".repeat(40)), async (agent, root) => {
      await reasons(agent, "waits for git ffffffffffff")
      expect(await readFile(join(root, "a"), "utf8")).toBe("lost")
    })
    await rename(`${repo.folder}-away`, repo.folder)
    await withGitAgent(repo, git("f".repeat(40)), (agent) => reasons(agent, "not our ref"))
    await withGitAgent(repo, git(older), async (agent, root) => {
      await untilShown(agent, older)
      expect(await readFile(join(root, "a"), "utf8")).toBe("older")
    })
  })
})

it("stays where it is when a branch is forced back, and follows it there with allowForcePush", async () => {
  await withRepo(async (repo) => {
    const first = await repo.commit({ a: "1" })
    const second = await repo.commit({ a: "2" })
    const git = `url: ${repo.folder}, branch: main`
    await withGitAgent(repo, git, async (agent) => {
      await untilShown(agent, second)
      await repo.forcePush(first)
      await reasons(agent, "older than")
      expect(agent.projections()[0]?.shown?.id).toBe(second)
    })
    await withGitAgent(repo, `${git}, allowForcePush: true`, async (agent) => {
      await untilShown(agent, first)
      const third = await repo.commit({ a: "3" })
      await untilShown(agent, third)
    })
  })
})

it("logs in with a token that is read each time, and reports when it may not", async () => {
  await withRepo(async (repo) => {
    const commit = await repo.commit({ a: "1" })
    await withGitServer(repo.folder, async (server) => {
      server.token = "right"
      const tokenFile = join(repo.scratch, "token")
      await writeFile(tokenFile, "wrong\n")
      const git = `url: "${server.url}", branch: main, auth: {tokenFile: ${tokenFile}}`
      await withGitAgent(repo, git, async (agent) => {
        await reasons(agent, "waits for git main")
        expect(agent.readiness().reasons.join()).not.toContain("wrong")
        await writeFile(tokenFile, "right\n")
        await untilShown(agent, commit)
      })
    })
  })
})

it("keeps what it shows when a commit is not known whole, names what is not, and shows the rest when configured to", async () => {
  await withRepo(async (repo) => {
    const whole = await repo.commit({ "app/a": "1", "app/link": { link: "a" }, other: { link: "nowhere" } })
    const git = `url: ${repo.folder}, branch: main, paths: [app]`
    await withGitAgent(repo, git, async (agent, root) => {
      await untilShown(agent, whole)
      const broken = await repo.commit({
        "app/a": null,
        "app/b": "2",
        "app/current": { link: "releases/v1" },
      })
      await reasons(agent, "app/link points to a, which is not in the tree [git/link-dangling]")
      await reasons(agent, "app/current points to releases/v1, which is not in the tree [git/link-dangling]")
      expect(await readFile(join(root, "app/a"), "utf8")).toBe("1")
      expect(agent.projections()[0]?.shown?.id).toBe(whole)
      const whole2 = await repo.commit({ "app/link": null, "app/current": null })
      await untilShown(agent, whole2)
      expect(broken).not.toBe(whole2)
    })
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 1234\n`
    const commit = await repo.commit({ "app/large": pointer, "app/c": "3" })
    await withGitAgent(repo, `${git}, unknownContent: leave-out`, async (agent, root) => {
      await untilShown(agent, commit)
      expect(await readdir(join(root, "app"))).toEqual(["b", "c"])
    })
  })
})

it("runs nothing that the configuration of a repository on this machine names", async () => {
  await withRepo(async (repo) => {
    const marks = join(repo.scratch, "marks")
    const commit = await repo.commit({ ".gitattributes": "* filter=evil\n", a: "1" })
    await setForeignConfig(join(repo.folder, ".git"), marks)
    await withGitAgent(repo, `url: ${repo.folder}, branch: main`, (agent) => untilShown(agent, commit))
    expect(await programsThatRan(marks)).toEqual([])
  })
})

it.each([
  ["nothing to follow", "url: /r"],
  ["a tag and a branch", "url: /r, tag: v1, branch: main"],
  ["a tag and a commit", `url: /r, tag: v1, commit: ${"a".repeat(40)}`],
])("refuses %s", (_, git) => {
  const yaml = `version: 1\nprojections: {tree: {path: /t, from: [{git: {${git}}}]}}\n`
  expect(() => parseSettings(yaml, "agent.yaml", AgentSettings)).toThrow("expected branch, tag or commit")
})

it("says what it read of a commit, for its digests and for the disk, so that memory can be given back", async () => {
  await withRepo(async (repo) => {
    const commit = await repo.commit({ a: "x".repeat(1000), "b/c": "y".repeat(500) })
    let read = 0
    const onRead = (bytes: number) => {
      read += bytes
    }
    await withGitAgent(
      repo,
      `url: ${repo.folder}, branch: ${repo.branch}`,
      async (agent) => {
        await untilShown(agent, commit)
        expect(read).toBe(2 * 1500)
      },
      { onRead },
    )
  })
})

it("names a branch that cannot be read any more, and stays in service, until it can", async () => {
  await withRepo(async (repo) => {
    const commit = await repo.commit({ a: "1" })
    await withGitAgent(repo, `url: ${repo.folder}, branch: ${repo.branch}`, async (agent) => {
      await untilShown(agent, commit)
      await untilReady(agent)
      await rename(repo.folder, `${repo.folder}.away`)
      await reasons(agent, "cannot be read: git/repository-missing")
      expect(agent.readiness().ready).toBe(true)
      await rename(`${repo.folder}.away`, repo.folder)
      await untilReady(agent)
    })
  })
})
