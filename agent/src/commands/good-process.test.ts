import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { chmod, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { logLines } from "@headrace/test/harness/run-marked"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { runAgentProgram } from "@headrace/test/harness/with-agent-process"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRepo } from "@headrace/test/harness/with-repo"
import { expect, it } from "vitest"

/** Settings of an agent that follows one branch, without any cluster. */
function settings(url: string, folder: string, more = ""): string {
  return `version: 1
listen: 127.0.0.1:0
mirrors: ${folder}/mirrors
projections:
  jobs: {path: ${folder}/jobs, from: [{git: {url: ${url}, branch: main, poll: 1h}}]}
${more}`
}

it("follows git without a cluster, looks at SIGHUP, logs its state at SIGUSR2, opens no inspector at SIGUSR1, reloads settings", async () => {
  await withRepo(async (repo) => {
    await repo.commit({ x: "1" })
    const { folder: url, scratch: folder } = repo
    const config = join(folder, "agent.yaml")
    await writeFile(config, settings(url, folder))
    const env = { KUBECONFIG: "/none", KUBERNETES_SERVICE_HOST: "" }
    const agent = runAgentProgram(["--config", config], { env })
    const messages = () => logLines(agent.output()).map(({ msg }) => msg)
    const read = (path: string) => readFile(join(folder, path), "utf8").catch(() => undefined)
    const shown = () => read("jobs/x")
    try {
      await expect.poll(shown).toBe("1")
      await repo.commit({ x: "2" })
      agent.child.kill("SIGHUP")
      await expect.poll(shown).toBe("2")

      agent.child.kill("SIGUSR1")
      const lastState = () =>
        logLines(agent.output()).findLast(({ msg }) => msg === "SIGUSR2: the agent's state")?.state
      // What is shown is current a moment after a reader can see it.
      const askState = () => agent.child.kill("SIGUSR2") && lastState()
      await expect.poll(askState).toMatchObject({
        projections: [{ name: "jobs", current: true, shown: { number: 2 } }],
      })
      expect(agent.errors()).not.toContain("Debugger")

      await writeFile(config, "version: 1\nprojections: {jobs: {}}\n")
      agent.child.kill("SIGHUP")
      await expect.poll(messages).toContain("settings do not read; the last good ones stay in force")
      await repo.commit({ x: "3" })
      agent.child.kill("SIGHUP")
      await expect.poll(shown).toBe("3")

      // As a mounted ConfigMap changes: by a rename.
      const more = `  more: {path: ${folder}/more, from: [{git: {url: ${url}, branch: main}}]}\n`
      await writeFile(`${config}.new`, settings(url, folder, more))
      await rename(`${config}.new`, config)
      await expect.poll(() => read("more/x")).toBe("3")
      expect(await shown()).toBe("3")
    } finally {
      agent.child.kill("SIGTERM")
      expect(await agent.ended).toBe(0)
    }
  })
})

it("names a mirrors folder that it cannot write, and what to do", async () => {
  await withRepo(async (repo) => {
    await writeFile(join(repo.scratch, "mirrors"), "a file")
    const config = join(repo.scratch, "agent.yaml")
    await writeFile(config, settings(repo.folder, repo.scratch))
    const agent = runAgentProgram(["--config", config])
    expect(await agent.ended).toBe(1)
    expect(agent.errors()).toMatch(
      /cannot write to .*mirrors, where mirrors are kept.*\[git\/mirrors-unwritable\]\n {2}Name a folder/s,
    )
  })
})

it("keeps the last good settings where changed ones name a mirrors folder that it cannot write", async () => {
  await withRepo(async (repo) => {
    await repo.commit({ x: "1" })
    const { folder: url, scratch: folder } = repo
    const config = join(folder, "agent.yaml")
    await writeFile(config, settings(url, folder))
    const agent = runAgentProgram(["--config", config])
    const shown = () => readFile(join(folder, "jobs/x"), "utf8").catch(() => undefined)
    try {
      await expect.poll(shown).toBe("1")
      await writeFile(join(folder, "file"), "")
      await writeFile(config, settings(url, folder).replace("/mirrors", "/file"))
      const rejected = () =>
        logLines(agent.output()).find(({ msg }) => `${msg}`.startsWith("changed settings do not start"))?.err
      await expect.poll(rejected).toContain("git/mirrors-unwritable")
      await repo.commit({ x: "2" })
      agent.child.kill("SIGHUP")
      await expect.poll(shown).toBe("2")
    } finally {
      agent.child.kill("SIGTERM")
      expect(await agent.ended).toBe(0)
    }
  })
})

const canUnshare = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status === 0

it.runIf(canUnshare)(
  `leaves no zombie as the first process of a container${whySkipped(canUnshare ? undefined : "unshare is not allowed")}`,
  async () => {
    await withFolder(async (folder) => {
      // A hook that leaves processes behind, which become the agent's.
      const hook = join(folder, "hook.sh")
      await writeFile(hook, `#!/bin/sh\nfor i in 1 2 3; do (sleep 0.1 &) ; done\n`)
      await chmod(hook, 0o755)
      await withRepo(async (repo) => {
        await repo.commit({ x: "1" })
        const main = join(import.meta.dirname, "../main.ts")
        const sync = `git-sync --repo=file://${repo.folder} --root=${folder}/target --link=l --period=100ms --max-failures=-1`
        const agent = `${process.execPath} --conditions=source ${main} ${sync} --exechook-command=${hook}`
        const zombies = "ps -o stat= --ppid 1 | grep -c Z"
        const wait = `until [ -e ${folder}/target/l ] && [ $(${zombies}) -gt 0 ]; do sleep 0.1; done`
        // Counted until there is none at one time: git, which the agent itself starts, is one for an instant, too.
        const reaped = `for i in $(seq 100); do left=$(${zombies}); [ $left -eq 0 ] && break; sleep 0.2; done`
        const count = `${wait}; ${reaped}; echo $left > ${folder}/zombies; kill -TERM 1`
        const probe = `(${count}) & exec ${agent}`
        const ended = spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "sh", "-c", probe], {
          encoding: "utf8",
          timeout: 180_000,
        })
        expect(ended.stderr).toContain("git-sync stopped")
        expect(existsSync(join(folder, "target/l/x"))).toBe(true)
        expect(readFileSync(join(folder, "zombies"), "utf8").trim()).toBe("0")
      })
    })
  },
  180_000,
)
