import { join } from "node:path"
import { inProcessClient } from "@headrace/config/local/embedded-kube/in-process-client"
import { expect, it } from "vitest"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { projectionYaml, untilShown, withAgent } from "../harness/with-agent.ts"
import { withOperator } from "../harness/with-operator.ts"

const RULES = `config_updater: {maps: {"a/*": {name: alpha, clusters: {east: [ci]}}}}`

it("an operator turns signing on, writers first and then agents, and a writer that does not sign is refused", () =>
  withOperator(async ({ repo, kube, writeConfig, run, runJson }) => {
    const client = inProcessClient(kube.store)
    const key = join(repo.scratch, "key")
    const made = await runBootstrapper(["keys", "generate", key, "--expires", "2090-01-01"])
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^key [0-9a-f]{16}: /) })
    expect((await runBootstrapper(["keys", "generate", key])).stderr).toContain("keys/not-written")
    const shown = await Promise.all(
      [key, `${key}.pub`].map((file) => runBootstrapper(["keys", "show", file])),
    )
    expect(shown[0]?.stdout).toBe(shown[1]?.stdout)
    expect(shown[0]?.stdout).toContain("believed until 2090-01-01")

    const apply = ["apply", "--direct"]
    const first = await repo.commit({ "a/1": "one", "rules.yaml": RULES })
    expect((await runJson(...apply)).code).toBe(0)

    const signing = { keyFile: key }
    await writeConfig({ signing })
    const unsigned = await run(...apply)
    expect(`${unsigned.stdout}${unsigned.stderr}`).toContain("record headrace/release is not signed")
    expect((await run("status")).stdout).toContain("trust/unsigned")
    const signed = await run("keys", "sign")
    expect(signed.stdout).toContain(`release in east: shows ${first}; signed by key`)
    expect((await run("keys", "sign")).stdout).toContain("already")
    expect((await runJson(...apply)).code).toBe(0)

    const trust = `trust: {keys: [${key}.pub], clusters: [east]}\n`
    const settings = projectionYaml(repo.scratch, "[{configMap: ci/alpha}]", trust)
    await withAgent(client, settings, async (agent) => {
      await untilShown(agent, first)
      const second = await repo.commit({ "a/1": "two" })
      expect((await runJson(...apply)).code).toBe(0)
      await untilShown(agent, second)

      // Rolled back to a writer that does not sign.
      await writeConfig({})
      await repo.commit({ "a/1": "three" })
      expect((await runJson(...apply)).code).toBe(0)
      await expect
        .poll(() => agent.state().recordProblem)
        .toContain("trust/unsigned: record headrace/release is not signed")
      expect(agent.projections()).toMatchObject([{ shown: { id: second } }])

      // And forward again, once somebody has looked.
      await writeConfig({ signing })
      await run("keys", "sign")
      await expect.poll(() => agent.projections()[0]?.shown?.id).not.toBe(second)
      expect(agent.state().recordProblem).toBeUndefined()

      // A machine without the key reads by the public one, and writes nothing.
      await writeConfig({ signing: { keyFile: `${key}-none`, keys: [`${key}.pub`] } })
      const held = await run("hold", "--reason", "test", "--no-wait")
      expect(`${held.stdout}${held.stderr}`).toContain("trust/no-key")
    })
  }))
