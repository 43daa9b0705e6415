import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { chmod, mkdir, readFile, readlink, stat, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { promisify } from "node:util"
import { throughKoffi } from "@headrace/agent/disk/native-calls"
import { SECRETS } from "@headrace/config/local/embedded-kube/resource-kind"
import { load } from "js-yaml"
import { describe, expect, it } from "vitest"
import { programArguments } from "../harness/program-arguments.ts"
import { type SidecarSite, withSidecarSite } from "../harness/run-sidecar.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { runAgentProgram } from "../harness/with-agent-process.ts"
import { withFolder } from "../harness/with-folder.ts"
import { type TestRepo, withRepo } from "../harness/with-repo.ts"
import { block, blocksOf, type Container, container } from "./manifest-blocks.ts"

/** Runs a container's command as its manifest has it, with its mounts in `folder` and `replaced` texts. */
function runContainer(
  given: Container,
  folder: string,
  replaced: [string, string][],
  env: Record<string, string> = {},
) {
  const mounts = given.volumeMounts.map(({ mountPath }): [string, string] => [
    mountPath,
    join(folder, mountPath),
  ])
  const here = (text: string) =>
    [...replaced, ...mounts].reduce((all, [from, to]) => all.replaceAll(from, to), text)
  const [program, ...command] = given.command ?? []
  expect(program).toBe("headrace-agent")
  const variables = Object.fromEntries((given.env ?? []).map(({ name, value }) => [name, here(value)]))
  return runAgentProgram([...command, ...(given.args ?? []).map(here)], { env: { ...variables, ...env } })
}

/** Runs a shell block with `headrace-agent` on its path. */
async function runShell(text: string, folder: string, env: Record<string, string> = {}): Promise<string> {
  const bin = join(folder, "bin")
  await mkdir(bin, { recursive: true })
  await writeFile(
    join(bin, "headrace-agent"),
    `#!/bin/sh\nexec ${[process.execPath, ...programArguments("agent")].join(" ")} "$@"\n`,
  )
  await chmod(join(bin, "headrace-agent"), 0o755)
  const PATH = `${bin}:${process.env.PATH}`
  // Not spawnSync: the API server that it asks may be in this process.
  const run = promisify(execFile)
  const { stdout } = await run("sh", ["-ec", text], { cwd: folder, env: { ...process.env, ...env, PATH } })
  return stdout
}

const read = (file: string) => readFile(file, "utf8").catch(() => undefined)

async function ending(run: ReturnType<typeof runAgentProgram>, use: () => Promise<void>): Promise<void> {
  try {
    await use()
    run.child.kill("SIGTERM")
    expect(await run.ended, run.errors()).toBe(0)
  } finally {
    run.child.kill("SIGKILL")
    await run.ended
  }
}

it.each([
  ["git-sync.md", ["airflow", "deck", "sidecar"]],
  ["k8s-sidecar.md", ["dashboards", "rules", "secrets"]],
])("%s: only image and command change", (page, names) => {
  const titles = blocksOf(page).map(({ title }) => title)
  expect(titles.filter((title) => title !== "")).toEqual(
    names.flatMap((name) => [`before=${name}`, `after=${name}`]),
  )
  for (const name of names) {
    const { image: _, command: __, ...before } = container(block(page, `before=${name}`))
    const { image, command, ...after } = container(block(page, `after=${name}`))
    expect(after).toEqual(before)
    expect([image, command?.[0]]).toEqual(["headrace/agent:0.1.0", "headrace-agent"])
  }
})

describe("git-sync.md", () => {
  const after = (name: string) => container(block("git-sync.md", `after=${name}`))

  async function withMain(fn: (repo: TestRepo) => Promise<void>): Promise<void> {
    await withRepo(async (repo) => {
      await repo.commit({ "dags/a.py": "1", file: "1" })
      await fn(repo)
    })
  }

  it("airflow: the DAG folder is there when the init container has ended", () =>
    withMain(async (repo) => {
      const url: [string, string] = ["https://example.com/org/dags.git", `file://${repo.folder}`]
      const run = runContainer(after("airflow"), repo.scratch, [url])
      expect(await run.ended, run.errors()).toBe(0)
      expect(await read(join(repo.scratch, "git/repo/dags/a.py"))).toBe("1")
    }))

  it("deck: follows the branch, syncs at SIGHUP, and serves its port", () =>
    withMain(async (repo) => {
      const url: [string, string] = ["https://example.com/org/release.git", `file://${repo.folder}`]
      const run = runContainer(after("deck"), repo.scratch, [url, [":4180", "127.0.0.1:0"]])
      const file = join(repo.scratch, "var/run/git-sync/release/file")
      await ending(run, async () => {
        await expect.poll(() => read(file)).toBe("1")
        await repo.commit({ file: "2" })
        run.child.kill("SIGHUP")
        await expect.poll(() => read(file)).toBe("2")
        const [, port] = /"url":"([^"]+)"/.exec(run.errors()) ?? []
        expect((await fetch(`${port}/metrics`)).status).toBe(200)
      })
    }))

  it("sidecar: runs its hook in the synced folder, touches its file", () =>
    withMain(async (repo) => {
      await mkdir(join(repo.scratch, "hooks"))
      const hook = join(repo.scratch, "hooks/reload")
      await writeFile(hook, `#!/bin/sh\necho "$(cat file) $GITSYNC_HASH" > ${repo.scratch}/hooked\n`)
      await chmod(hook, 0o755)
      const url: [string, string] = ["https://example.com/org/site.git", `file://${repo.folder}`]
      const run = runContainer(after("sidecar"), repo.scratch, [url])
      await ending(run, async () => {
        await expect.poll(() => read(join(repo.scratch, "hooked"))).toBe(`1 ${await repo.tip()}\n`)
        // Hook and touch file follow the publish side by side.
        await expect.poll(() => existsSync(join(repo.scratch, "tmp/git/synced"))).toBe(true)
        expect((await stat(join(repo.scratch, "tmp/git/html/dags"))).mode & 0o777).toBe(0o775)
      })
    }))

  it("going back: the root can be emptied", () =>
    withMain(async (repo) => {
      const [shell] = blocksOf("git-sync.md").filter(({ language }) => language === "sh")
      await runShell(shell?.text ?? "", repo.scratch, { REPO: `file://${repo.folder}` })
      expect(existsSync(join(repo.scratch, "root/html"))).toBe(false)
    }))
})

describe("k8s-sidecar.md", () => {
  const after = (name: string) => container(block("k8s-sidecar.md", `after=${name}`))
  const envOf = ({ kube }: SidecarSite) => ({
    KUBECONFIG: kube.kubeconfigFile,
    HEALTH_PORT: "0",
    HEALTH_HOST: "127.0.0.1",
  })

  it("dashboards: of ConfigMaps and Secrets of every namespace, in Grafana's folders; Grafana is called", () =>
    withSidecarSite(async (site) => {
      const calls: (string | undefined)[] = []
      const grafana = createServer((request, response) => {
        calls.push(request.headers.authorization)
        response.end()
      })
      await new Promise<void>((resolve) => grafana.listen(0, "127.0.0.1", resolve))
      const url = `http://127.0.0.1:${(grafana.address() as AddressInfo).port}`
      const labels = { grafana_dashboard: "1" }
      site.put("a/one", { labels, data: { "one.json": "{}" } })
      site.put(
        "b/two",
        { labels, annotations: { grafana_folder: "/tmp/dashboards/team" }, data: { "two.json": "{}" } },
        "Secret",
      )
      const replaced: [string, string][] = [["http://localhost:3000", url]]
      const run = runContainer(after("dashboards"), site.folder, replaced, envOf(site))
      // The annotation names the path in the container, which is another one here.
      await ending(run, async () => {
        const folder = join(site.folder, "tmp/dashboards")
        await expect.poll(() => read(join(folder, "one.json"))).toBe("{}")
        site.put(
          "b/two",
          { labels, annotations: { grafana_folder: "team" }, data: { "two.json": "[]" } },
          "Secret",
        )
        await expect.poll(() => read(join(folder, "team/two.json"))).toBe("[]")
        await expect.poll(() => calls.length).toBeGreaterThanOrEqual(2)
        expect(calls[0]).toBe(`Basic ${Buffer.from("admin:admin").toString("base64")}`)
      })
      grafana.closeAllConnections()
      grafana.close()
    }))

  it("rules: of two namespaces, by unique names", () =>
    withSidecarSite(async (site) => {
      const labels = { loki_rule: "" }
      for (const namespace of ["monitoring", "apps", "other"]) {
        site.put(`${namespace}/rules`, { labels, data: { "r.yaml": namespace } })
      }
      const run = runContainer(after("rules"), site.folder, [], envOf(site))
      await ending(run, async () => {
        const file = (namespace: string) =>
          join(site.folder, `rules/namespace_${namespace}.configmap_rules.r.yaml`)
        await expect.poll(() => read(file("apps"))).toBe("apps")
        expect([await read(file("monitoring")), await read(file("other"))]).toEqual(["monitoring", undefined])
      })
    }))

  it("secrets: are there with their mode when the init container has ended", () =>
    withSidecarSite(async (site) => {
      site.put(
        "monitoring/db",
        { labels: { grafana_datasource: "x" }, data: { "db.yaml": "secret" } },
        "Secret",
      )
      const run = runContainer(after("secrets"), site.folder, [], envOf(site))
      expect(await run.ended, run.errors()).toBe(0)
      const file = join(site.folder, "etc/grafana/provisioning/datasources/db.yaml")
      expect(await read(file)).toBe("secret")
      expect((await stat(file)).mode & 0o777).toBe(0o440)
      expect(run.output()).not.toContain('"secret"')
    }))

  it("going back: links become files", () =>
    withSidecarSite(async (site) => {
      site.put("default/one", { labels: { use: "x" }, data: { k: "1" } })
      const [shell] = blocksOf("k8s-sidecar.md").filter(({ language }) => language === "sh")
      await runShell(shell?.text ?? "", site.folder, envOf(site))
      expect(await read(join(site.folder, "plain/k"))).toBe("1")
    }))
})

describe("kubelet-mounts.md", () => {
  it("shows what the volume shows, file by file", () =>
    withSidecarSite(async ({ kube, folder, put }) => {
      const before = load(block("kubelet-mounts.md", "before=volume")) as { volumes: unknown[] }
      expect(before.volumes).toHaveLength(1)
      put("ci/app", { data: { "app.yaml": "a", hidden: "x" } })
      kube.store.create(SECRETS, "ci", {
        metadata: { namespace: "ci", name: "login" },
        stringData: { password: "p" },
      })
      const config = join(folder, "agent.yaml")
      const head = `kubeconfig: ${kube.kubeconfigFile}\nlisten: 127.0.0.1:0\n`
      await writeFile(
        config,
        head + block("kubelet-mounts.md", "after=volume").replaceAll("/config/", `${folder}/`),
      )
      const run = runAgentProgram(["--config", config])
      await ending(run, async () => {
        await expect.poll(() => read(join(folder, "app/conf/app.yaml"))).toBe("a")
        expect(await read(join(folder, "app/login/password"))).toBe("p")
        expect((await stat(join(folder, "app/login/password"))).mode & 0o777).toBe(0o400)
        expect((await stat(join(folder, "app/conf/app.yaml"))).mode & 0o777).toBe(0o444)
        expect(await readlink(join(folder, "app/conf"))).toBe("..data/conf")
        expect(existsSync(join(folder, "app/hidden"))).toBe(false)
        put("ci/extra", { data: { more: "m" } })
        await expect.poll(() => read(join(folder, "app/more"))).toBe("m")
      })
    }))
})

describe("atomicdir.md", () => {
  it.runIf(throughKoffi())(
    `publishes, exchanges, and leaves a real folder behind${whySkipped(throughKoffi() ? undefined : "koffi is not installed")}`,
    () =>
      withFolder(async (folder) => {
        const shells = blocksOf("atomicdir.md").filter(({ language }) => language === "sh")
        const outputs: string[] = []
        for (const { text } of shells) outputs.push(await runShell(text, folder))
        expect(outputs.map((output) => output.split("\n").at(-1))).toEqual(["one", "two", "two"])
        expect((await stat(join(folder, "secrets"))).isDirectory()).toBe(true)
        expect(existsSync(join(folder, ".headrace-secrets"))).toBe(false)
      }),
  )
})
