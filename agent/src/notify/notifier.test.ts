import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, readdir, readFile, writeFile } from "node:fs/promises"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { type Clock, systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { Notify } from "@headrace/shared/settings/agent-notify"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { withFolder } from "@headrace/test/harness/with-folder"
import { expect, it } from "vitest"
import type { Notice } from "./notice.ts"
import { createNotifier, type Notifier } from "./notifier.ts"
import { runHook } from "./run-hook.ts"

/** Retries without waiting long, so that a test sees many. */
const hurried: Clock = { ...systemClock, sleep: (_milliseconds, signal) => systemClock.sleep(1, signal) }
const log = createLog("test", { level: "silent" })

function notice(seq: number): Notice {
  return { projection: "p", path: "/p", revision: String(seq).repeat(8), token: { epoch: 1, seq } }
}

async function withNotifier(yaml: string, use: (notifier: Notifier) => Promise<void>): Promise<void> {
  const settings = parseSettings(yaml, "notify.yaml", Notify)
  const notifier = createNotifier(settings, { clock: hurried, log })
  const stop = new AbortController()
  const running = notifier.run(stop.signal).catch((error: unknown) => error)
  try {
    await use(notifier)
  } finally {
    stop.abort(new Error("the test is over"))
    await running
  }
}

/** Has a consumer that answers so called by HTTP, until it is notified. */
async function notifyOverHttp(answer: RequestListener): Promise<void> {
  const server = createServer(answer).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  try {
    await withNotifier(`http: "http://127.0.0.1:${port}/reload"`, async (notifier) => {
      notifier.tell(notice(4))
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "")
}

it("runs a hook again until it succeeds, with revision and token in its environment", async () => {
  await withFolder(async (folder) => {
    const script = join(folder, "hook")
    await writeFile(
      script,
      `#!/bin/sh
echo "$HEADRACE_REVISION $HEADRACE_TOKEN $HEADRACE_PATH" >> ${folder}/calls
[ "$(wc -l < ${folder}/calls)" -ge 3 ]
`,
    )
    await chmod(script, 0o755)
    await withNotifier(`exec: [${script}]`, async (notifier) => {
      notifier.tell(notice(7))
      expect(notifier.isSettled()).toBe(false)
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
    expect(await text(`${folder}/calls`)).toBe("77777777 1.7 /p\n".repeat(3))
  })
})

it("pauses between two notices, and then sends the newest", async () => {
  await withFolder(async (folder) => {
    const sleeps: (() => void)[] = []
    const clock: Clock = {
      ...systemClock,
      sleep: (milliseconds) =>
        new Promise((resolve) => {
          expect(milliseconds).toBe(1000)
          sleeps.push(resolve)
        }),
    }
    const settings = parseSettings(`{touch: ${folder}/touched, pause: 1s}`, "notify.yaml", Notify)
    const notifier = createNotifier(settings, { clock, log })
    const stop = new AbortController()
    const running = notifier.run(stop.signal).catch((error: unknown) => error)

    notifier.tell(notice(1))
    await expect.poll(() => sleeps.length).toBe(1)
    expect(notifier.isSettled()).toBe(true)
    notifier.tell(notice(2))
    notifier.tell(notice(3))
    expect(await text(`${folder}/touched`)).toContain("1".repeat(8))
    sleeps.shift()?.()
    await expect.poll(() => text(`${folder}/touched`)).toContain("3".repeat(8))
    expect(sleeps).toHaveLength(1)

    stop.abort(new Error("the test is over"))
    sleeps.shift()?.()
    await running
  })
})

it("calls until the answer is the expected one, with the revision in a header", async () => {
  const seen: string[] = []
  await notifyOverHttp((request, response) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers["headrace-revision"]} ${request.headers["headrace-token"]}`,
    )
    response.writeHead(seen.length < 3 ? 500 : 204).end()
  })
  expect(seen).toEqual(Array.from({ length: 3 }, () => "POST /reload 44444444 1.4"))
})

it("follows no redirect of a consumer, to no port and no path", async () => {
  const asked: (string | undefined)[] = []
  await notifyOverHttp((request, response) => {
    asked.push(request.url)
    const isThird = asked.length >= 3
    response.writeHead(isThird ? 204 : 302, isThird ? {} : { location: "/elsewhere" }).end()
  })
  expect(asked).toEqual(["/reload", "/reload", "/reload"])
})

it("notifies of the newest only, when revisions overtake a consumer that does not answer", async () => {
  await withFolder(async (folder) => {
    const gate = join(folder, "gate")
    const hook = `["/bin/sh", "-c", "[ -e ${gate} ] && echo $HEADRACE_REVISION >> ${folder}/calls"]`
    await withNotifier(`exec: ${hook}`, async (notifier) => {
      for (const seq of [1, 2, 3]) notifier.tell(notice(seq))
      await writeFile(gate, "")
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
    expect(await text(`${folder}/calls`)).toMatch(/33333333\n$/)
  })
})

it("replaces the touch file in one rename and leaves nothing beside it", async () => {
  await withFolder(async (folder) => {
    await withNotifier(`touch: ${folder}/touched`, async (notifier) => {
      notifier.tell(notice(2))
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
    expect(await text(`${folder}/touched`)).toBe("22222222\n1.2\n")
    expect(await readdir(folder)).toEqual(["touched"])
  })
})

it("signals the process of a pid file, once there is one", async () => {
  await withFolder(async (folder) => {
    const child = spawn(
      "/bin/sh",
      ["-c", `trap 'echo called >> ${folder}/calls; exit 0' HUP; echo up; while :; do sleep 0.05; done`],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    )
    const ended = once(child, "exit")
    await once(child.stdout, "data")
    await withNotifier(`{signal: HUP, pidFile: ${folder}/pid}`, async (notifier) => {
      notifier.tell(notice(1))
      await writeFile(`${folder}/pid`, `${child.pid}\n`)
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
    await ended
    expect(await text(`${folder}/calls`)).toBe("called\n")
  })
})

it("signals processes by name", async () => {
  await withFolder(async (folder) => {
    const program = join(folder, "headrace-test-consumer-with-long-name")
    await writeFile(
      program,
      `#!/bin/sh\ntrap 'echo called >> ${folder}/calls; exit 0' USR1; echo up; while :; do sleep 0.05; done\n`,
    )
    await chmod(program, 0o755)
    const child = spawn(program, [], { stdio: ["ignore", "pipe", "ignore"] })
    const ended = once(child, "exit")
    await once(child.stdout, "data")
    await withNotifier(`{signal: USR1, process: headrace-test-consumer-with-long-name}`, async (notifier) => {
      notifier.tell(notice(1))
      await expect.poll(() => notifier.isSettled()).toBe(true)
    })
    await ended
    expect(await text(`${folder}/calls`)).toBe("called\n")
  })
})

it("refuses a pid file that names a group or the first process", async () => {
  await withFolder(async (folder) => {
    for (const pid of ["-1", "0", "1", "12x", ""]) {
      await writeFile(`${folder}/pid`, pid)
      const settings = parseSettings(`{signal: HUP, pidFile: ${folder}/pid}`, "n.yaml", Notify)
      const failures: string[] = []
      const loud = createLog("test", { destination: { write: (line: string) => void failures.push(line) } })
      const notifier = createNotifier(settings, { clock: systemClock, log: loud })
      const stop = new AbortController()
      const running = notifier.run(stop.signal).catch(() => undefined)
      notifier.tell(notice(1))
      await expect.poll(() => failures.join("")).toContain("holds no process id")
      stop.abort()
      await running
    }
  })
})

it("kills a hook that takes too long and says so", async () => {
  const hook = { env: {}, command: ["/bin/sleep", "60"], timeout: 50 }
  await expect(runHook(hook, new AbortController().signal)).rejects.toThrow("/bin/sleep failed: SIGKILL")
})

it.each([
  ["ends, with it, what a hook that takes too long has started", "wait", /SIGKILL/, false],
  ["does not wait for what a hook leaves in the background", "exit 0", undefined, true],
])("%s", async (_behaviour, last, failure, survives) => {
  await withFolder(async (folder) => {
    const script = `sleep 60 & echo $! > ${folder}/pid; ${last}`
    const hook = { env: {}, command: ["/bin/sh", "-c", script], timeout: 500 }
    const run = runHook(hook, new AbortController().signal)
    if (failure) await expect(run).rejects.toThrow(failure)
    else await run
    const pid = Number(await text(`${folder}/pid`))
    // A killed process is gone once it is reaped, here by the process that adopted it: a zombie has no command line.
    const isAlive = async () => (await text(`/proc/${pid}/cmdline`)) !== ""
    await expect.poll(isAlive).toBe(survives)
    if (survives) process.kill(pid)
  })
})

it("names a hook that is not there", async () => {
  const hook = { env: {}, command: ["/no/such/hook"], timeout: 1000 }
  await expect(runHook(hook, new AbortController().signal)).rejects.toThrow(/no\/such\/hook.*ENOENT/)
})
