import { existsSync } from "node:fs"
import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { programArguments } from "@headrace/test/harness/program-arguments"
import { logLines, type MarkedRun, runMarked } from "@headrace/test/harness/run-marked"
import { whySkipped } from "@headrace/test/harness/why-skipped"
import { withFolder } from "@headrace/test/harness/with-folder"
import { withRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { whyNoLandlock } from "./landlock.ts"

const missing = whyNoLandlock()
const SLOW = { timeout: 120_000 }
const POLL = { timeout: 60_000 }
const WAYS = ["synchronous", "threadPool", "link", "folder", "worker", "child"]

describe.skipIf(missing)(`an agent under Landlock${whySkipped(missing)}`, () => {
  it(
    "writes by no thread, worker or child elsewhere than its settings name, and publishes from git",
    SLOW,
    () =>
      withConfined(async ({ folder, start, writeSettings }) => {
        const places = {
          shown: join(folder, "shown"),
          allowed: join(folder, "allowed"),
          elsewhere: join(folder, "elsewhere"),
        }
        for (const place of [places.allowed, places.elsewhere]) await mkdir(place)
        const hook =
          "true > /dev/null && mktemp && echo $HEADRACE_REVISION > allowed/hook; echo > elsewhere/hook"
        await writeSettings([`exec: [sh, -c, 'cd ${folder}; ${hook}; true']`])
        const report = join(places.allowed, "report")
        const run = start({
          NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, "../../../test/harness/injected-code.mjs"))}`,
          INJECTED_REPORT: report,
          INJECTED_PLACES: Object.values(places).join(":"),
        })

        await expect.poll(() => read(join(places.shown, "a")), POLL).toBe("one")
        await expect.poll(() => read(join(places.allowed, "hook")), POLL).toMatch(/^[0-9a-f]{40}\n$/)
        const found: Record<string, unknown> = JSON.parse((await read(report)) ?? "{}")

        expect(found).toEqual({
          [places.shown]: all("written"),
          [places.allowed]: all("written"),
          [places.elsewhere]: all("EACCES"),
        })
        expect(existsSync(join(places.elsewhere, "hook"))).toBe(false)
        expect(messages(run)).toContain("this process writes only where its settings name")
        expect(await metrics(run)).toContain("headrace_agent_confined 1\n")
      }),
  )

  it("keeps its last good settings beside new ones that write elsewhere, until it is restarted", SLOW, () =>
    withConfined(async ({ folder, start, writeSettings }) => {
      await writeSettings([])
      const run = start()
      await expect.poll(() => read(join(folder, "shown/a")), POLL).toBe("one")

      await writeSettings([], ["other"])
      await expect.poll(() => run.output(), POLL).toContain("agent/outside-confinement")
      expect(await metrics(run)).toContain("headrace_settings_rejected 1\n")
      expect(existsSync(join(folder, "other"))).toBe(false)

      await writeSettings([])
      await rename(join(folder, "shown"), join(folder, "moved"))
      await expect
        .poll(() => messages(run), POLL)
        .toContainEqual(expect.stringContaining("restart the agent"))
      expect(run.child.exitCode).toBe(null)
    }),
  )

  it("that systemd has started ends with 1 to write elsewhere, and does when it is started again", SLOW, () =>
    withConfined(async ({ folder, startedBySystemd, writeSettings }) => {
      await writeSettings([])
      const first = startedBySystemd()
      await expect.poll(() => read(join(folder, "shown/a")), POLL).toBe("one")

      await writeSettings([], ["other"])
      expect(await first.ended).toBe(1)
      expect(first.errors()).toContain("agent/restart-needed")
      startedBySystemd()
      await expect.poll(() => read(join(folder, "other/a")), POLL).toBe("one")
    }),
  )

  it.each(["off", "auto"])("started by hand with --confine %s is not confined, and says so", SLOW, (mode) =>
    withConfined(async ({ folder, start, writeSettings }) => {
      await writeSettings([`exec: [sh, -c, 'echo > ${folder}/elsewhere']`])
      const run = start({ HEADRACE_CONFINE: mode })

      await expect.poll(() => existsSync(join(folder, "elsewhere")), POLL).toBe(true)
      expect(messages(run)).toContain("this process is not confined: it can write elsewhere")
      expect(await metrics(run)).toContain("headrace_agent_confined 0\n")
    }),
  )
})

interface ConfinedTest {
  folder: string
  /** Writes settings with these ways to notify, and these projections beside `shown`. */
  writeSettings(notify: readonly string[], others?: readonly string[]): Promise<void>
  start(env?: Record<string, string>): MarkedRun
  startedBySystemd(): MarkedRun
}

function withConfined(use: (test: ConfinedTest) => Promise<void>): Promise<void> {
  return withRepo((repo) =>
    withFolder(async (folder) => {
      await repo.commit({ a: "one" })
      const config = join(folder, "agent.yaml")
      const runs: MarkedRun[] = []
      const started = (run: MarkedRun) => {
        runs.push(run)
        return run
      }
      const args = [...programArguments("agent"), "--config", config]
      const from = `[{git: {url: ${repo.folder}, branch: main, poll: 100ms}}]`
      try {
        await use({
          folder,
          async writeSettings(notify, others = []) {
            const ways = notify.map((way) => `      - ${way}\n`).join("")
            const projection = (name: string) =>
              `  ${name}:\n    path: ${folder}/${name}\n    durability: none\n    from: ${from}\n`
            const head = `version: 1\nlisten: 127.0.0.1:0\nmirrors: ${folder}/mirrors\nconfinement: {writable: [${folder}/allowed]}\n`
            const shown = projection("shown") + (ways && `    notify:\n${ways}`)
            await writeFile(config, `${head}projections:\n${shown}${others.map(projection).join("")}`)
          },
          start: (env) => started(runMarked(args, { HEADRACE_CONFINE: "always", ...env })),
          startedBySystemd: () => started(runMarked(["-e", AS_SYSTEMD, "--", ...args])),
        })
      } finally {
        for (const run of runs) run.child.kill("SIGKILL")
        await Promise.all(runs.map(({ ended }) => ended))
      }
    }),
  )
}

/** Names this process as systemd does, and becomes the program: systemd.exec(5), SYSTEMD_EXEC_PID. */
const AS_SYSTEMD = `process.execve(process.execPath, [process.execPath, ...process.argv.slice(1)], {...process.env, SYSTEMD_EXEC_PID: String(process.pid)})`

function all(outcome: string): Record<string, string> {
  return Object.fromEntries(WAYS.map((way) => [way, outcome]))
}

function messages(run: MarkedRun): unknown[] {
  return logLines(run.output()).map(({ msg }) => msg)
}

async function metrics(run: MarkedRun): Promise<string> {
  const started = () => logLines(run.output()).find(({ msg }) => msg === "agent started")?.url
  await expect.poll(started, POLL).toBeDefined()
  return (await fetch(`${started()}/metrics`)).text()
}

function read(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch(() => undefined)
}
