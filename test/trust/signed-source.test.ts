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
    const { stdout: status } = await run("status")
    expect(status).toContain("trust/unsigned")
    expect(status).toMatch(/keys\s(\\\s+)?sign/)
    expect(status).not.toContain("readyz")
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

it("an operator without the key has a writer with it obey, and hears when none does", () =>
  withOperator(async ({ repo, kube, writeConfig, run, runJson }) => {
    const client = inProcessClient(kube.store)
    const key = join(repo.scratch, "key")
    await runBootstrapper(["keys", "generate", key])
    await writeConfig({ signing: { keyFile: key, words: "headrace-words" } })
    const first = await repo.commit({ "a/1": "one", "rules.yaml": RULES })
    expect((await runJson("apply", "--direct")).code).toBe(0)
    const shown = async () => (await client.get("ci", "alpha"))?.data?.["1"]

    const without = { keyFile: join(repo.scratch, "none"), keys: [`${key}.pub`] }
    await writeConfig({ signing: { ...without, words: "headrace-words" } })
    const held = await run("hold", "--reason", "incident 42", "--no-wait")
    expect(held).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("the word waits for a program with the key"),
    })
    const words = async () =>
      (await client.list("headrace-words", { labelSelector: "headrace.dev/word=release" })).items
    const [word] = await words()
    expect(word?.data).toMatchObject({ "word.json": expect.stringContaining("incident 42") })

    // A stranger's, one that is too old, and one for another source, in the same namespace.
    const forge = (name: string, data: object) =>
      client.create({
        metadata: { namespace: "headrace-words", name, labels: { "headrace.dev/word": "release" } },
        data: { "word.json": JSON.stringify(data) },
      })
    const release = { format: 1, source: "release", said: { verb: "release" }, by: "x", reason: "" }
    await forge("old", { ...release, at: "2020-01-01T00:00:00.000Z" })
    await forge("other", { ...release, source: "other", at: new Date().toISOString() })
    await forge("unreadable", {
      ...release,
      said: { verb: "delete-everything" },
      at: new Date().toISOString(),
    })

    // Anybody may look who waits for what, and no text of a word reaches a terminal as it is.
    await forge("hostile", {
      ...release,
      said: { verb: "promote" },
      by: "\u001b[31mroot\u0007\n",
      at: new Date().toISOString(),
    })
    const seen = await run("status")
    expect(seen.stdout).toContain("hold, said by")
    expect(seen.stdout).toContain("waits for a program with the key since")
    expect(seen.stdout).toContain("incident 42")
    expect(seen.stdout).toContain("release, said by x, was obeyed by no program since 2020-01-01")
    expect(seen.stdout).toContain("word unreadable does not read")
    expect(seen.stdout).toContain("headrace-bootstrapper apply")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would act on
    expect(seen.stdout).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
    const status = JSON.parse((await run("status", "-o", "json")).stdout)
    expect(status).toMatchObject({ format: 3, level: "trouble" })
    const listed = status.clusterSources[0].words.map(({ name, says, reason }: Record<string, string>) => [
      name,
      says,
      reason,
    ])
    expect(listed).toEqual(
      expect.arrayContaining([
        [word?.metadata.name, "hold", "incident 42"],
        ["old", "release", ""],
        ["unreadable", null, null],
      ]),
    )

    // The next run of a program with the key obeys, whatever woke it.
    await writeConfig({ signing: { keyFile: key, words: "headrace-words" } })
    await repo.commit({ "a/1": "two" })
    const { places } = await runJson("apply", "--direct")
    expect(places).toMatchObject([{ commit: first }])
    expect(await shown()).toBe("one")
    const answers = Object.fromEntries(
      (await words()).map(({ metadata, data }) => [
        metadata.name,
        JSON.parse(data?.["answer.json"] ?? "{}").error,
      ]),
    )
    expect(answers).toEqual({
      [word?.metadata.name ?? ""]: null,
      hostile: { code: expect.stringContaining("/"), message: expect.any(String) },
      old: { code: "words/too-old", message: expect.any(String) },
      other: { code: "words/unreadable", message: expect.any(String) },
      unreadable: { code: "words/unreadable", message: expect.any(String) },
    })
    const after = await run("status")
    expect(after.stdout).toContain("release, said by x, was not obeyed since 2020-01-01")
    expect(after.stdout).toContain("words/too-old")
    expect(after.stdout).not.toContain("waits for a program")

    // What waits has not happened, also where the source is held already.
    await writeConfig({ signing: { ...without, words: "headrace-words" } })
    expect((await run("release", "--wait", "--time-limit", "1s")).code).toBe(1)

    // Where no namespace is named, only the key may speak.
    await writeConfig({ signing: without })
    const refused = await run("release", "--no-wait")
    expect(`${refused.stdout}${refused.stderr}`).toContain("trust/no-key")
  }))
