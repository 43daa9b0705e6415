import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { createSampleRepository, SAMPLE } from "@headrace/config/local/sample-repository"
import { waitUntil } from "@headrace/config/local/wait-until"
import { expect, it } from "vitest"
import { type MarkedRun, runMarked } from "../harness/run-marked.ts"

const UP = join(import.meta.dirname, "../../config/local/up.ts")
const SOON = { limitMs: 150_000 }

it("up shows a user's repository, follows its commits by polling, ends cleanly on SIGTERM, and starts again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-up-"))
  const repository = await createSampleRepository(join(folder, "repository"))
  const target = join(folder, "node")
  const run = startUp(repository.folder, target)
  let again: MarkedRun | undefined
  try {
    const jobs = join(target, "default/default/job-config")
    const nightly = join(jobs, "nightly.yaml")
    await waitUntil("the first projection", () => (existsSync(nightly) ? true : undefined), {
      limitMs: 150_000,
    })
    expect(readFileSync(nightly, "utf8")).toContain("interval: 24h")
    expect(visible(jobs)).toEqual(["build.yaml", "nightly.yaml", "release.yaml"])

    const commit = await repository.mergeChange(1, "2h")
    await waitUntil(
      "the change",
      () => (readFileSync(nightly, "utf8").includes("2h") ? true : undefined),
      SOON,
    )
    expect(basename(readlinkSync(join(jobs, "..data")))).toBe(commit)

    addRuleForAnotherCluster(repository.folder)
    const other = join(target, "build01/ci/other/other.yaml")
    await waitUntil("the new cluster's projection", () => (existsSync(other) ? true : undefined), SOON)

    const says = (text: string) =>
      waitUntil(`"${text}"`, () => (run.output().includes(text) ? true : undefined), SOON)
    commitFile(repository.folder, "config/jobs/no key.yaml", "a: 1\n")
    await says("default/default/job-config stays as it is")
    commitFile(repository.folder, "config/jobs/no key.yaml", undefined)
    await says("all is fine again")

    run.child.kill("SIGTERM")
    expect(await run.ended, run.errors()).toBe(0)
    expect(run.alive()).toEqual([])
    expect(readFileSync(nightly, "utf8")).toContain("2h")

    execFileSync("git", ["-C", repository.folder, "reset", "--quiet", "--hard", `${commit}^1`])
    again = startUp(repository.folder, target)
    await waitUntil(
      "the rewound branch",
      () => (readFileSync(nightly, "utf8").includes("24h") ? true : undefined),
      SOON,
    )
  } finally {
    for (const one of [run, again]) {
      one?.child.kill("SIGTERM")
      await one?.ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
})

it("up refuses a cluster name that would lead out of its target, and writes nothing there", async () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-up-"))
  const repository = await createSampleRepository(join(folder, "repository"))
  const rules =
    "config_updater:\n  maps:\n    config/**/*.yaml: {name: c, clusters: {../../outside: [default]}}\n"
  writeFileSync(join(repository.folder, SAMPLE.rules), rules)
  commitAll(repository.folder)
  const run = runMarked([
    ...["--conditions=source", "--no-warnings", UP],
    ...["--repo", repository.folder, "--branch", SAMPLE.branch, "--rules", SAMPLE.rules],
    ...["--target", join(folder, "a/node")],
  ])

  expect(await run.ended).toBe(2)
  expect(run.errors()).toContain("../../outside")
  expect(existsSync(join(folder, "outside"))).toBe(false)
  rmSync(folder, { recursive: true, force: true })
})

it("up names what is wrong with its arguments and exits with 2", async () => {
  const run = runMarked(["--conditions=source", "--no-warnings", UP, "--repo", "."])

  expect(await run.ended).toBe(2)
  expect(run.errors()).toContain("--branch")
})

function startUp(repository: string, target: string): MarkedRun {
  return runMarked([
    ...["--conditions=source", "--no-warnings", UP],
    ...["--repo", repository, "--branch", SAMPLE.branch, "--rules", SAMPLE.rules],
    ...["--target", target, "--poll", "0.5"],
  ])
}

function visible(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith(".."))
    .sort()
}

function addRuleForAnotherCluster(repository: string): void {
  const rules = readFileSync(join(repository, SAMPLE.rules), "utf8")
  const rule = "    config/other.yaml:\n      name: other\n      clusters: {build01: [ci]}\n"
  writeFileSync(join(repository, SAMPLE.rules), rules.replace("  maps:\n", `  maps:\n${rule}`))
  writeFileSync(join(repository, "config/other.yaml"), "other: true\n")
  commitAll(repository)
}

function commitFile(repository: string, path: string, content: string | undefined): void {
  if (content === undefined) rmSync(join(repository, path))
  else writeFileSync(join(repository, path), content)
  commitAll(repository)
}

function commitAll(repository: string): void {
  const git = ["-C", repository, "-c", "user.name=test", "-c", "user.email=test@example.invalid"]
  execFileSync("git", [...git, "add", "--all"])
  execFileSync("git", [...git, "commit", "--quiet", "-m", "Change the configuration"])
}
