import { mkdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { systemClock } from "@headrace/shared/foundation/clock"
import { AfterCheck } from "@headrace/shared/settings/agent-after"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import type { Notice } from "../notify/notice.ts"
import { createHealth, type Health } from "./health.ts"
import { type CheckedRevision, foundAfter, type HealthState } from "./judge-health.ts"
import { fileAnswer, runCheck } from "./run-check.ts"

const { signal } = new AbortController()
const NOTICE: Notice = { projection: "p", path: "/p", revision: "3f9a1c0", token: { epoch: 1, seq: 7 } }
const FIRST: CheckedRevision = { ...NOTICE, root: "r1", isCandidate: true }
const SECOND: CheckedRevision = { ...FIRST, revision: "77aa", token: { epoch: 1, seq: 8 }, root: "r2" }

function check(yaml: string) {
  return parseSettings(yaml, "check.yaml", AfterCheck)
}

describe("one run of a check", () => {
  it("of a program passes by its exit code, and says what it wrote when it fails", async () => {
    const passing = check('exec: ["/bin/sh", "-c", "test $HEADRACE_REVISION = 3f9a1c0"]')
    expect(await runCheck(passing, NOTICE, signal)).toEqual({ outcome: "passed" })
    const failing = check('exec: ["/bin/sh", "-c", "echo queue is full >&2; exit 3"]')
    expect(await runCheck(failing, NOTICE, signal)).toEqual({
      outcome: "failed",
      message: "/bin/sh failed: exit code 3: queue is full",
    })
  })

  it("gives a program none of our variables, and ends what it leaves behind", async () => {
    await withFolder(async (folder) => {
      process.env.HEADRACE_TEST_SECRET = "secret"
      try {
        const script = `env > ${folder}/env; sleep 60 & echo $! > ${folder}/pid`
        await runCheck(check(`exec: ["/bin/sh", "-c", "${script}"]`), NOTICE, signal)
        const text = await readFile(join(folder, "env"), "utf8")
        expect(text).toContain("HEADRACE_TOKEN=1.7")
        expect(text).not.toContain("secret")
        const pid = (await readFile(join(folder, "pid"), "utf8")).trim()
        const isAlive = () => readFile(`/proc/${pid}/cmdline`, "utf8").then(Boolean, () => false)
        await expect.poll(isAlive).toBe(false)
      } finally {
        delete process.env.HEADRACE_TEST_SECRET
      }
    })
  })

  it("keeps nothing open for what a program leaves in a session of its own", async () => {
    await withFolder(async (folder) => {
      const pipes = () => process.getActiveResourcesInfo().filter((one) => one === "PipeWrap").length
      const before = pipes()
      const script = `setsid sleep 60 & echo $! > ${folder}/pid`
      const leaving = check(`exec: ["/bin/sh", "-c", "${script}"]`)
      expect(await runCheck(leaving, NOTICE, signal)).toEqual({ outcome: "passed" })
      await expect.poll(pipes).toBeLessThanOrEqual(before)
      process.kill(Number(await readFile(join(folder, "pid"), "utf8")), "SIGKILL")
    })
  })

  it("of a program that does not end fails at its timeout", async () => {
    const slow = check('{exec: ["/bin/sleep", "60"], timeout: 50ms}')
    expect(await runCheck(slow, NOTICE, signal)).toMatchObject({ outcome: "failed" })
  })

  it("of a URL passes with a 2xx, knows the revision, and fails without an answer", async () => {
    const asked: unknown[] = []
    const server = createServer(({ url, headers, method }, answer) => {
      asked.push([method, headers["headrace-revision"]])
      answer.statusCode = url === "/ill" ? 503 : 204
      if (url === "/endless") answer.writeHead(200).write("the first of many")
      else answer.end()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    const url = (path: string) => check(`http: "http://127.0.0.1:${port}${path}"`)
    try {
      expect(await runCheck(url("/well"), NOTICE, signal)).toEqual({ outcome: "passed" })
      expect(await runCheck(url("/endless"), NOTICE, signal), "a body without end").toEqual({
        outcome: "passed",
      })
      const failed = await runCheck(url("/ill"), NOTICE, signal)
      expect(failed).toMatchObject({ outcome: "failed", message: expect.stringContaining("answered 503") })
      expect(asked).toEqual(Array(3).fill(["GET", "3f9a1c0"]))
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    expect(await runCheck(url("/well"), NOTICE, signal)).toMatchObject({ outcome: "failed" })
  })

  it("of a file is no answer unless the file names this revision", async () => {
    await withFolder(async (folder) => {
      const file = join(folder, "health")
      const run = () => runCheck(check(`file: ${file}`), NOTICE, signal)
      expect(await run()).toMatchObject({ outcome: "silent" })
      await writeFile(file, "77aa ok\n")
      expect(await run()).toMatchObject({ outcome: "silent" })
      await writeFile(file, "3f9a1c0 ok\nmore\n")
      expect(await run()).toEqual({ outcome: "passed" })
      await writeFile(file, "1.7 failed no such job\n")
      expect(await run()).toEqual({ outcome: "failed", message: "no such job" })
      await mkdir(join(folder, "d"))
      expect(await runCheck(check(`file: ${join(folder, "d")}`), NOTICE, signal)).toMatchObject({
        outcome: "failed",
      })
    })
  })

  it("reads an answer word by word", () => {
    expect(fileAnswer("3f9a1c0", "f", NOTICE)).toEqual({ outcome: "passed" })
    expect(fileAnswer("3f9a1c0 maybe", "f", NOTICE)).toMatchObject({ outcome: "silent" })
    expect(fileAnswer("", "f", NOTICE)).toMatchObject({ outcome: "silent" })
  })
})

describe("what runs come to", () => {
  const failed = { outcome: "failed", message: "down" } as const

  it("fails after so many failures in a row, and not before", () => {
    const one = foundAfter(undefined, failed, 2, "t1")
    expect(one).toMatchObject({ passes: undefined, failures: 1 })
    const two = foundAfter(one, failed, 2, "t2")
    expect(two).toMatchObject({ passes: false, since: "t2" })
    expect(foundAfter(two, failed, 2, "t3")).toMatchObject({ passes: false, since: "t2" })
    expect(foundAfter(two, { outcome: "passed" }, 2, "t4")).toMatchObject({ passes: true, failures: 0 })
    expect(foundAfter(two, { outcome: "silent", message: "" }, 2, "t5").passes).toBe(undefined)
  })
})

describe("the checks of a projection", () => {
  async function withHealth(yaml: string[], use: (health: Health, states: HealthState[]) => Promise<void>) {
    const states: HealthState[] = []
    const onChange = (state: HealthState) => void states.push(state)
    const health = createHealth(yaml.map(check), { clock: systemClock, onChange })
    const stop = new AbortController()
    const running = health.run(stop.signal).catch(() => undefined)
    try {
      await use(health, states)
    } finally {
      stop.abort(new Error("the test is over"))
      await running
    }
  }

  it("say of a new revision nothing that they found of the one before", async () => {
    await withFolder(async (folder) => {
      const file = join(folder, "health")
      await writeFile(file, "3f9a1c0 ok")
      await withHealth([`{file: ${file}, every: 10ms}`], async (health, states) => {
        health.follow(FIRST)
        await expect.poll(() => health.state()?.checks).toBe("passing")
        health.follow(SECOND)
        expect(health.state()).toMatchObject({ of: { root: "r2" }, checks: "pending" })
        // The consumer is healthy with the revision before, and silent on this one.
        await expect.poll(() => states.at(-1)).toMatchObject({ of: { root: "r2" }, checks: "pending" })
        await writeFile(file, "77aa failed bad job")
        await expect.poll(() => health.state()?.checks).toBe("failing")
        expect(health.state()?.problem).toMatchObject({ check: "file[0]", message: "bad job" })
      })
    })
  })

  it("end for a revision in force once they pass, and go on for a candidate", async () => {
    await withFolder(async (folder) => {
      const calls = async () => (await readFile(join(folder, "calls"), "utf8").catch(() => "")).length
      const exec = `{exec: ["/bin/sh", "-c", "printf x >> ${folder}/calls"], every: 5ms, for: 0s}`
      await withHealth([exec], async (health) => {
        health.follow({ ...FIRST, isCandidate: false })
        await expect.poll(() => health.state()?.checks).toBe("passing")
        const before = await calls()
        health.follow(SECOND)
        await expect.poll(calls, { timeout: 30_000 }).toBeGreaterThan(before + 2)
      })
    })
  })

  it("have no state where there are none", () => {
    const health = createHealth([], { clock: systemClock, onChange: () => undefined })
    health.follow(FIRST)
    expect(health.state()).toBe(undefined)
  })
})
