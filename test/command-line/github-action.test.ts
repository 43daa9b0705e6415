import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { createBootstrapperProgram } from "@headrace/bootstrapper/bootstrapper-program"
import { load } from "js-yaml"
import { describe, expect, it } from "vitest"
import { programArguments } from "../harness/program-arguments.ts"
import { withRepo } from "../harness/with-repo.ts"

const ROOT = join(import.meta.dirname, "../..")
const PROGRAM = [process.execPath, ...programArguments("bootstrapper")].join(" ")

interface Action {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>
  runs: { steps: { uses?: string; run?: string; env?: Record<string, string> }[] }
}

const action = load(readFileSync(join(ROOT, "config/github-action/action.yml"), "utf8")) as Action
const step = action.runs.steps.find(({ run }) => run !== undefined)

/** Runs the action's step as a runner does: expressions become values, in the environment alone. */
function runAction(inputs: Record<string, string>, cwd: string) {
  const given = (name: string) => inputs[name] ?? action.inputs[name]?.default ?? ""
  const env = Object.entries(step?.env ?? {}).map(([name, text]) => [
    name,
    text
      .replaceAll(/\$\{\{ inputs\.([-\w]+) \}\}/g, (_, input: string) => given(input))
      .replaceAll(/\$\{\{ github\.repository \}\}/g, "my-org/config"),
  ])
  return spawnSync("bash", ["-e", "-c", step?.run ?? "exit 99"], {
    cwd,
    encoding: "utf8",
    env: { PATH: process.env.PATH, ...Object.fromEntries(env) },
  })
}

const RULES = "config_updater:\n  maps:\n    'jobs/**/*.yaml': {name: jobs, clusters: {default: [ci]}}\n"

describe("the GitHub Action", () => {
  it("annotates the rule that loses files, fails, and accepts it with prow", () =>
    withRepo(async (repo) => {
      await repo.commit({ "plugins.yaml": RULES, "jobs/a/x.yaml": "1", "jobs/b/x.yaml": "2" })
      const inputs = { rules: "plugins.yaml", program: PROGRAM }
      const failed = runAction(inputs, repo.folder)
      expect(failed.status, failed.stderr).toBe(1)
      expect(failed.stdout).toMatch(
        /^::error file=plugins\.yaml,line=3,col=\d+,title=plan\/key-collision::1 file is lost/m,
      )
      expect(failed.stdout).toContain("1 error, 0 warnings; 1 file lost")
      const accepted = runAction({ ...inputs, prow: "true" }, repo.folder)
      expect([accepted.status, accepted.stdout]).toEqual([
        0,
        expect.stringMatching(/^::warning file=plugins\.yaml/m),
      ])
    }))

  it("shows what changes since the base, and says how it is misused", () =>
    withRepo(async (repo) => {
      await repo.commit({ "plugins.yaml": RULES, "jobs/a.yaml": "1" })
      await repo.git("checkout", "--quiet", "-b", "change")
      await repo.commit({ "jobs/b.yaml": "2" })
      const inputs = { rules: "plugins.yaml", base: "main", program: PROGRAM }
      const { status, stdout } = runAction(inputs, repo.folder)
      expect([status, stdout]).toEqual([0, expect.stringContaining("+ default/ci/jobs b.yaml")])
      expect(runAction({ program: PROGRAM }, repo.folder).status).toBe(2)
    }))

  it("annotates what a gate refuses at its line, and runs no program that its settings keep from pull requests", () =>
    withRepo(async (repo) => {
      const checked = join(repo.scratch, "checked")
      const program = { glob: "jobs/*", exec: ["/bin/sh", "-c", `touch ${checked}; exit 1`] }
      const gates = { files: [{ glob: "jobs/*", parse: "yaml" }, program] }
      const url = "https://github.com/my-org/config.git"
      const settings = (files: object[]) =>
        JSON.stringify({
          version: 1,
          sources: { jobs: { url, branch: "main", rules: "plugins.yaml", gates: { ...gates, files } } },
          clusters: { default: { inCluster: true, namespaces: ["ci"] } },
        })
      await writeFile(join(repo.scratch, "headrace.yaml"), settings(gates.files))
      await repo.commit({ "plugins.yaml": RULES, "jobs/a.yaml": "a: [", "jobs/b.yaml": "b: 1" })
      await repo.git("checkout", "--quiet", "-b", "change")
      await repo.commit({ "jobs/b.yaml": "b: 1\nc: [1\nd: 2\n" })
      const config = join(repo.scratch, "headrace.yaml")
      const inputs = { rules: "plugins.yaml", base: "main", config, program: PROGRAM }
      const refused = runAction(inputs, repo.folder)
      expect(refused.stdout.split("\n").filter((line) => line.startsWith("::"))).toEqual([
        expect.stringMatching(
          /^::error file=jobs\/b\.yaml,line=3,col=1,title=gate\/not-parsed::not valid YAML/,
        ),
      ])
      expect([refused.status, refused.stderr]).toEqual([
        1,
        expect.stringMatching(/^not run.*exec: \/bin\/sh/m),
      ])
      expect(existsSync(checked)).toBe(false)
      await repo.commit({ "jobs/b.yaml": "b: 2" })
      await writeFile(config, settings([{ ...program, onPullRequests: true }]))
      expect(runAction(inputs, repo.folder).stdout).toMatch(
        /^::error title=gate\/exec::refused with exit code 1/m,
      )
      expect(existsSync(checked)).toBe(true)
    }))

  it("has its inputs in the environment alone, each the twin of a flag", () => {
    expect(step?.run).not.toContain("${{")
    const program = createBootstrapperProgram({ signal: new AbortController().signal, exitCode: 0 })
    const check = program.commands.find((command) => command.name() === "check")
    const twins = check?.options.map(({ envVar }) => envVar)
    const names = Object.keys(step?.env ?? {}).filter((name) => name !== "PROGRAM")
    expect(twins).toEqual(expect.arrayContaining(names))
    const used = Object.values(step?.env ?? {}).flatMap((text) => /inputs\.([-\w]+)/.exec(text)?.[1] ?? [])
    expect(used.sort()).toEqual(Object.keys(action.inputs).sort())
  })

  it("is called by the sample with inputs that it has", () => {
    const sample = load(readFileSync(join(ROOT, "config/samples/github/check.yaml"), "utf8")) as {
      jobs: { check: { steps: { uses?: string; with?: Record<string, string> }[] } }
    }
    const call = sample.jobs.check.steps.find(({ uses }) => uses?.includes("config/github-action"))
    expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(call?.with ?? {})))
    for (const [name, { required }] of Object.entries(action.inputs)) {
      if (required) expect(call?.with).toHaveProperty(name)
    }
  })
})
