import { existsSync } from "node:fs"
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { logLines } from "@headrace/test/harness/run-marked"
import { runAgentProgram } from "@headrace/test/harness/with-agent-process"
import { withDiskFolder } from "@headrace/test/harness/with-folder"
import { withKube } from "@headrace/test/harness/with-kube"
import { expect, it } from "vitest"
import { SECRETS } from "../../../config/local/embedded-kube/resource-kind.ts"

const VALUE = "hunter2-hunter2"

it("shows Secrets for their owner alone, and nothing of them in log, state, metrics, readiness or manifests of others", async () => {
  await withDiskFolder(async (folder) => {
    const memory = existsSync("/dev/shm") ? await mkdtemp("/dev/shm/headrace-test-") : folder
    try {
      await withKube(async ({ store, kubeconfigFile }) => {
        const metadata = { namespace: "ci", name: "login", labels: { use: "jobs" } }
        store.create(SECRETS, "ci", { metadata, stringData: { password: VALUE } })
        const config = join(folder, "agent.yaml")
        const yaml = `version: 1
kubeconfig: ${kubeconfigFile}
listen: 127.0.0.1:0
projections:
  one: {path: ${folder}/one, from: [{live: {secret: ci/login}}]}
  all: {path: ${memory}/all, from: [{live: {labelSelector: use=jobs, kind: Secret}, under: x}], permissions: {file: "0440"}}
`
        await writeFile(config, yaml)
        const agent = runAgentProgram(["--config", config, "--log-level", "trace"])
        const read = (file: string) => readFile(file, "utf8").catch(() => undefined)
        const log = () => logLines(agent.output())
        try {
          await expect.poll(() => read(join(folder, "one/password"))).toBe(VALUE)
          await expect.poll(() => read(join(memory, "all/x/password"))).toBe(VALUE)
          expect((await stat(join(folder, "one/password"))).mode & 0o777).toBe(0o400)
          expect((await stat(join(memory, "all/x/password"))).mode & 0o777).toBe(0o440)

          const next = { metadata, stringData: { password: `${VALUE}-2` } }
          store.replace(SECRETS, "ci", "login", next)
          await expect.poll(() => read(join(folder, "one/password"))).toBe(`${VALUE}-2`)

          const url = String(log().find(({ msg }) => msg === "agent started")?.url)
          agent.child.kill("SIGUSR2")
          await expect.poll(() => log().some(({ msg }) => msg === "SIGUSR2: the agent's state")).toBe(true)
          const told = await Promise.all(
            ["/metrics", "/readyz"].map(async (path) => (await fetch(url + path)).text()),
          )
          const warned = log().filter(({ msg }) => String(msg).startsWith("Secrets are kept on a disk"))
          expect(warned.map(({ projection }) => projection)).toEqual(
            memory === folder ? ["one", "all"] : ["one"],
          )
          const encoded = Buffer.from(VALUE).toString("base64").slice(0, 12)
          for (const text of [agent.output(), agent.errors(), ...told]) {
            expect(text).not.toContain("hunter2")
            expect(text).not.toContain(encoded)
          }
          const ownersAlone: number[] = []
          // Digests of secrets can be tried out by those who can read them.
          for (const name of await readdir(join(folder, "one/..rev"), { recursive: true })) {
            // The agent may still remove what its last flip needed.
            const found = await stat(join(folder, "one/..rev", name)).catch(() => undefined)
            if (found?.isFile() && name.includes("manifest")) ownersAlone.push(found.mode & 0o077)
          }
          expect(ownersAlone).toContain(0)
          expect(ownersAlone.every((others) => others === 0)).toBe(true)
        } finally {
          agent.child.kill("SIGTERM")
          expect(await agent.ended).toBe(0)
        }
      })
    } finally {
      if (memory !== folder) await rm(memory, { recursive: true, force: true })
    }
  })
})
