import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { expect, it } from "vitest"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { missingPrograms, signedCommit, sshSigner } from "../harness/signing-keys.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withOperator } from "../harness/with-operator.ts"

const RULES = `config_updater: {maps: {"a/*": {name: alpha, clusters: {east: [ci]}}}}`
/** The text in one line, however narrow the terminal was that it was wrapped for. */
function unwrapped(text: string): string {
  return text.replace(/\s+/g, " ")
}

const noSsh = missingPrograms("ssh-keygen")

it.skipIf(noSsh)(
  `an operator sees what is not verified, and whose signature it was; the rules' source counts too${whySkipped(noSsh)}`,
  () =>
    withOperator(async ({ repo, writeConfig, run, runJson, kube }) => {
      const keys = join(repo.scratch, "keys")
      const [alice, eve] = [await sshSigner(keys, "alice"), await sshSigner(keys, "eve")]
      const allowedSigners = join(repo.scratch, "allowed")
      await writeFile(allowedSigners, `alice@example.com ${alice.publicKey}\n`)
      const source = { url: repo.folder, branch: repo.branch }
      const sources = {
        release: {
          ...source,
          rules: { source: "rules", path: "rules.yaml" },
          verify: { mode: "every", allowedSigners },
        },
        rules: { ...source, rules: "rules.yaml", verify: { allowedSigners } },
      }
      await writeConfig({ sources })
      const apply = ["apply", "--direct", "--source", "release"]
      await repo.commit({ "a/1": "one", "rules.yaml": RULES })
      const first = await signedCommit(repo, alice, {})
      expect((await runJson(...apply)).places).toMatchObject([{ result: "applied", commit: first }])

      const second = await signedCommit(repo, eve, { "a/1": "two" })
      const { code, places } = await runJson(...apply)
      expect(code).toBe(1)
      expect(places).toMatchObject([
        {
          result: "stopped",
          error: { code: "verify/unknown-key", message: expect.stringContaining("SHA256:") },
        },
      ])
      const folder = ["check", "--source-path", repo.folder, "--rules", "rules.yaml"]
      const checked = await runBootstrapper([...folder, "--allowed-signers", allowedSigners])
      expect(checked).toMatchObject({ code: 1, stdout: expect.stringContaining("[verify/unknown-key]") })
      expect((await runBootstrapper(folder)).code).toBe(0)
      const top = await run("apply", "--source-path", repo.folder, "--source", "rules", "--dry-run=false")
      expect(`${top.stdout}${top.stderr}`).toContain("verify/unknown-key")
      const { stdout } = await run("status", "--source", "release")
      expect(unwrapped(stdout)).toContain(`commit ${second} is signed by the ED25519 key SHA256:`)
      expect(stdout).toContain("approve --unverified --commit")
      expect((await inProcessClient(kube.store).get("ci", "alpha"))?.data).toMatchObject({ "1": "one" })

      await run("approve", "--unverified", "--commit", second, "--source", "release", "--wait")
      expect((await inProcessClient(kube.store).get("ci", "alpha"))?.data).toMatchObject({ "1": "two" })
      const after = await run("status", "--source", "release")
      expect(unwrapped(after.stdout)).toContain("is in force and not verified: an operator has approved that")

      await writeFile(allowedSigners, `eve@example.com ${eve.publicKey}\n`)
      await runJson(...apply)
      const last = await run("status", "--source", "release")
      expect(unwrapped(last.stdout)).not.toContain("not verified")
    }),
)
