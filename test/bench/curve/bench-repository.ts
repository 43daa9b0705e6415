import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdir } from "node:fs/promises"
import { pipeline } from "node:stream/promises"

const BRANCH = "main"
const FILES_OF_A_TEAM = 1000
const TARGETS_OF_A_TEAM = 3
const FILE_BYTES = 3000

/** A repository of so many files, as teams keep them: a folder, a rule and three ConfigMaps for each thousand. */
export interface BenchRepository {
  folder: string
  branch: string
  rules: string
  /** Commits another content of one file. */
  changeOne(round: number): Promise<void>
}

/** `view`: false, and all files go to one target of the store. */
export async function createBenchRepository(
  folder: string,
  files: number,
  view: boolean,
): Promise<BenchRepository> {
  await mkdir(folder, { recursive: true })
  await git(folder, ["init", "--quiet", "--bare", `--initial-branch=${BRANCH}`])
  await git(folder, ["fast-import", "--quiet"], everything(files, view))
  return {
    folder,
    branch: BRANCH,
    rules: "rules.yaml",
    async changeOne(round) {
      const index = (round * 7919) % files
      const stream = [commitHead(round + 1), `from refs/heads/${BRANCH}^0\n`, file(index, round + 1), "\n"]
      await git(folder, ["fast-import", "--quiet"], stream)
    },
  }
}

/** git-fast-import(1), "Input format". */
function* everything(files: number, view: boolean): Generator<string> {
  yield commitHead(0)
  yield inline("rules.yaml", view ? rulesOfTeams(files) : ONE_RULE)
  for (let index = 0; index < files; index++) yield file(index, 0)
}

const ONE_RULE = `config_updater: {maps: {"teams/**/*.yaml": {name: everything, use_full_path_as_key: true, view: false}}}\n`

function rulesOfTeams(files: number): string {
  const teams = Array.from({ length: Math.ceil(files / FILES_OF_A_TEAM) }, (_, team) => {
    const names = Array.from({ length: TARGETS_OF_A_TEAM }, (_, part) => `team-${team}-${part}`)
    return `    "teams/t${team}/**/*.yaml": {partitioned_names: [${names.join(", ")}], use_full_path_as_key: true, gzip: true}\n`
  })
  return `config_updater:\n  maps:\n${teams.join("")}`
}

function commitHead(time: number): string {
  return `commit refs/heads/${BRANCH}\ncommitter bench <bench@example.invalid> ${1_700_000_000 + time} +0000\ndata 4\nedit\n`
}

function file(index: number, version: number): string {
  const team = Math.floor(index / FILES_OF_A_TEAM)
  return inline(`teams/t${team}/d${index % 20}/job-${index}.yaml`, content(index, version))
}

function inline(path: string, text: string): string {
  return `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`
}

/** Compresses about as well as configuration does: some words are everywhere, some names only here. */
function content(index: number, version: number): string {
  const lines = [`name: job-${index}`, `version: ${version}`]
  const digest = createHash("sha256").update(`${index} ${version}`).digest("hex")
  for (let line = 0; lines.length * 60 < FILE_BYTES; line++) {
    lines.push(`  - image: registry.example/team/${digest.slice(line % 40, (line % 40) + 20)}:v${line}`)
  }
  return `${lines.join("\n")}\n`
}

async function git(folder: string, args: string[], input: Iterable<string> = []): Promise<void> {
  const child = spawn("git", [`--git-dir=${folder}`, ...args], { stdio: ["pipe", "ignore", "inherit"] })
  const ended = once(child, "close")
  await pipeline(input, child.stdin)
  const [code] = await ended
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}`)
}
