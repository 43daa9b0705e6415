import { readlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Redis } from "ioredis"
import { expect, it } from "vitest"
import { openShell, type Typed } from "../harness/open-shell.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withAgentProcess } from "../harness/with-agent-process.ts"
import { type TestKube, withKube } from "../harness/with-kube.ts"
import { type Operator, withOperator } from "../harness/with-operator.ts"
import { withPluginProcess } from "../harness/with-plugin-process.ts"
import { type TestRedis, withRedis } from "../harness/with-redis.ts"

// What an operator has at night: a settings file, a shell, and `status`. Everything is wrong at the same time.

/** A dozen programs one after the other; what each fault is explained by is in test/fault/explained. */
const SHORT = process.env.HEADRACE_NIGHT === "long" ? undefined : "the long form, HEADRACE_NIGHT=long"
const LIMIT_MS = 150_000
/** Each is a branch of the repository, and a source with one ConfigMap of that name. */
const SOURCES = ["main", "guarded", "pushed", "held"] as const

interface Printed extends Typed {
  /** Commands that follow an arrow, with their continued lines, as they are printed. */
  commands: string[]
}

/** An operator's shell, with the commands that a line printed. */
async function openOperatorsShell({
  repo,
  config,
}: Operator): Promise<(command: string) => Promise<Printed>> {
  const type = await openShell({ cwd: repo.scratch, home: repo.scratch, env: { HEADRACE_CONFIG: config } })
  return async (command) => {
    const typed = await type(command)
    return { ...typed, commands: commandsIn(typed.stdout) }
  }
}

function commandsIn(text: string): string[] {
  return [...text.matchAll(/→ ((?:.*\\\n)*.*)/g)].map(([, command = ""]) => command)
}

/** Lines put together, as a person reads them. */
function flat(text: string): string {
  return text.replaceAll("\\\n", "").replace(/\s+/g, " ")
}

/** An operator with a plugin, two clusters, and an agent on a node of the first; everything is well. */
interface Scene extends Operator {
  redis: TestRedis
  west: TestKube
  /** Where the node shows the branch main. */
  shown: string
  /** Types a line into the operator's shell. */
  type(command: string): Promise<Printed>
}

function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  return withRedis((redis) =>
    withKube((west) =>
      withOperator(async (operator) => {
        const { repo, kube, config } = operator
        const secret = join(repo.scratch, "hmac")
        await writeFile(secret, "of the tests")
        const source = (branch: string) => ({ url: repo.folder, branch, rules: "rules.yaml", poll: "1h" })
        await operator.writeConfig({
          sources: Object.fromEntries(SOURCES.map((branch) => [nameOf(branch), source(branch)])),
          clusters: {
            east: { kubeconfig: kube.kubeconfigFile, namespaces: ["ci"] },
            west: { kubeconfig: west.kubeconfigFile, namespaces: ["ci"] },
          },
          redis: { url: redis.url },
          webhook: { secretFiles: [secret] },
        })
        for (const branch of SOURCES.slice(1)) await startBranch(operator, branch)
        const first = await writeBranch(operator, "main", "1")
        const shown = join(repo.scratch, "shown")
        const projection = `{path: ${shown}, durability: none, from: [{configMap: ci/main}]}`
        const settings = `report: {node: node-1}\nprojections: {shown: ${projection}}\n`
        const node = { folder: repo.scratch, kubeconfigFile: kube.kubeconfigFile, settings }
        const type = await openOperatorsShell(operator)
        await withPluginProcess(config, () =>
          withAgentProcess(node, async () => {
            await untilShown(shown, first)
            await test({ ...operator, redis, west, shown, type })
          }),
        )
      }),
    ),
  )
}

it.skipIf(SHORT !== undefined)(
  `names the cause and the command of six faults at the first look, and each command as printed helps${whySkipped(SHORT)}`,
  () =>
    withScene(async (scene) => {
      const { type, west, shown, redis } = scene
      const tip = await makeEverythingWrong(scene)

      const look = await type("headrace-bootstrapper status")
      // Not by console.log, which vitest puts under headings of its own: the screen is to be read.
      process.stdout.write(`$ headrace-bootstrapper status\n${look.text}`)
      const said = flat(look.text)
      expect(look.code, look.text).toBe(1)
      expect(said).toMatch(/✗ Redis is full: .*Give it more memory/)
      expect(said).toMatch(/release in west unreachable .*ECONNREFUSED/)
      expect(said).toMatch(/guarded in east stopped .*would delete/)
      expect(said).toMatch(/pushed in east stopped .*the branch was rewritten/)
      expect(said).toMatch(/held in east held .*incident 42/)
      expect(said).toMatch(/node-1 shows .*is pinned to 1: incident 43/)
      const check = `kubectl --kubeconfig ${west.kubeconfigFile} get --raw=/readyz`
      expect(look.commands.map(flat)).toContain(check)
      const direct = commandOf(look, /^headrace-bootstrapper apply --direct$/)

      for (const command of [
        commandOf(look, /^headrace-bootstrapper approve .*guarded$/),
        commandOf(look, /^headrace-bootstrapper rewind .*pushed$/),
        commandOf(look, /^headrace-bootstrapper release .*held$/),
        commandOf(look, /^headrace-agent unpin/),
      ]) {
        const typed = await type(command)
        process.stdout.write(`$ ${command}\n${typed.text}`)
        expect(typed.code, command + typed.text).toBe(0)
      }
      const second = await type("headrace-bootstrapper status")
      await type(commandOf(second, /^headrace-bootstrapper release .*pushed$/))
      // West is down, so it ends with 1; what it brings to east is what counts.
      await type(direct)
      await untilShown(shown, tip)
      await setMemory(redis, "0")
      const east = async () => flat((await type("headrace-bootstrapper status --cluster east")).text)
      await expect.poll(east, { timeout: LIMIT_MS }).toMatch(/^4 well/)
    }),
  900_000,
)

/** The only command that is printed and looks so, its continued lines put together. */
function commandOf({ commands, text }: Printed, wanted: RegExp): string {
  const found = commands.map(flat).filter((command) => wanted.test(command))
  expect(found, text).toHaveLength(1)
  return found[0] ?? ""
}

/** Gives the tip of main, which no cluster shows, as Redis takes no wake-up. */
async function makeEverythingWrong(scene: Scene): Promise<string> {
  const { repo, type, west, shown, redis } = scene
  await west.close()
  await type("headrace-bootstrapper hold --cluster east --source held --reason 'incident 42'")
  await type(`headrace-agent pin ${shown} --reason 'incident 43'`)
  await writeBranch(scene, "held", "2")
  await writeBranch(scene, "guarded", null)
  await repo.git("checkout", "--quiet", "pushed")
  await repo.git("commit", "--quiet", "--amend", "--allow-empty", "--message", "rewritten")
  await writeBranch(scene, "main", "2")
  await type("headrace-bootstrapper apply --cluster east")
  const tip = await writeBranch(scene, "main", "3")
  await setMemory(redis, "1")
  return tip
}

async function setMemory({ url }: TestRedis, bytes: string): Promise<void> {
  const redis = new Redis(url)
  await redis.config("SET", "maxmemory", bytes)
  await redis.quit()
}

async function startBranch(operator: Operator, branch: string): Promise<void> {
  await operator.repo.git("branch", branch)
  await writeBranch(operator, branch, "1")
}

/** Commits to a branch: its rules, and four files with this content; null: the last one alone. */
async function writeBranch({ repo }: Operator, branch: string, content: string | null): Promise<string> {
  await repo.git("checkout", "--quiet", branch)
  const rules = `config_updater:\n  maps:\n    'files/*': {name: ${branch}, clusters: {east: [ci], west: [ci]}}\n`
  const files = ["a", "b", "c"].map((name) => [`files/${name}`, content])
  return repo.commit({ "rules.yaml": rules, ...Object.fromEntries(files), "files/d": content ?? "1" })
}

/** Waits until the disk shows a commit. */
async function untilShown(folder: string, commit: string): Promise<void> {
  const link = () => readlink(join(folder, "..data")).catch(() => "")
  await expect.poll(link, { timeout: LIMIT_MS }).toContain(commit)
}

function nameOf(branch: string): string {
  return branch === "main" ? "release" : branch
}
