import { execFile } from "node:child_process"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

export const SAMPLE = {
  branch: "main",
  rules: "config/prow/plugins.yaml",
  repository: "example/config",
  /** The file that the demo's merge changes, and where a node shows it. */
  changed: { path: "config/jobs/nightly.yaml", configMap: "job-config", key: "nightly.yaml" },
} as const

const FILES: Record<string, string> = {
  "config/prow/plugins.yaml": `# Prow's own format: which files go to which ConfigMap.
config_updater:
  maps:
    config/prow/config.yaml:
      name: config
    config/prow/plugins.yaml:
      name: plugins
    config/jobs/**/*.yaml:
      name: job-config
      gzip: true
`,
  "config/prow/config.yaml": "prowjob_namespace: default\nlog_level: info\n",
  "config/jobs/nightly.yaml": job("nightly", "24h"),
  "config/jobs/build.yaml": job("build", "1h"),
  "config/jobs/release/release.yaml": job("release", "6h"),
}

function job(name: string, interval: string): string {
  return `periodics:\n- name: ${name}\n  interval: ${interval}\n  spec:\n    containers:\n    - image: ${name}:latest\n`
}

/** A repository such as its user would have one: rules in Prow's format, and the files that they name. */
export interface SampleRepository {
  folder: string
  /** Merges a pull request that changes the nightly job's interval; gives the merge commit. */
  mergeChange(number: number, interval: string): Promise<string>
}

export async function createSampleRepository(folder: string): Promise<SampleRepository> {
  await mkdir(folder, { recursive: true })
  await git(folder, "init", "--quiet", `--initial-branch=${SAMPLE.branch}`)
  for (const [path, text] of Object.entries(FILES)) await write(folder, path, text)
  await commitAll(folder, "Configuration as it was")
  return {
    folder,
    async mergeChange(number, interval) {
      const branch = `change-${number}`
      await git(folder, "switch", "--quiet", "--create", branch)
      await write(folder, SAMPLE.changed.path, job("nightly", interval))
      await commitAll(folder, `Run the nightly job every ${interval}`)
      await git(folder, "switch", "--quiet", SAMPLE.branch)
      await git(folder, "merge", "--quiet", "--no-ff", "-m", `Merge pull request #${number}`, branch)
      return (await git(folder, "rev-parse", "HEAD")).trim()
    },
  }
}

async function write(folder: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

async function commitAll(folder: string, message: string): Promise<void> {
  await git(folder, "add", "--all")
  await git(folder, "commit", "--quiet", "-m", message)
}

/** Nothing of the user's own git settings: the sample must look the same everywhere. */
async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=Headrace demo", "-c", "user.email=demo@example.invalid"]
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" }
  return (await run("git", ["-C", folder, ...identity, ...args], { env })).stdout
}
