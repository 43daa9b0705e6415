import { chmod, readdir, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sampleTrees } from "@headrace/test/harness/sample-trees"
import { until } from "@headrace/test/harness/until"
import { withFolder } from "@headrace/test/harness/with-folder"
import { describe, expect, it } from "vitest"
import { Gates } from "../../settings/gates.ts"
import { changedFiles } from "../changed-files.ts"
import { judgeByPrograms } from "./judge-exec.ts"

const FILES = { "jobs/a.yaml": "a: 1\n", "jobs/deep/b.yaml": "b: 1\n", "other.txt": "o" }
const quiet = new AbortController().signal

/** Runs a shell script as a gate over `jobs/**`. */
function judge(script: string, more: object = {}, { before = {}, signal = quiet, program = "" } = {}) {
  return withFolder(async (folder) => {
    const path = program || join(folder, "check")
    if (!program) {
      await writeFile(path, `#!/bin/sh\n${script}\n`)
      await chmod(path, 0o755)
    }
    const { treeOf, read } = sampleTrees()
    const tree = treeOf(FILES)
    const { files } = Gates.parse({ files: [{ glob: "jobs/**", exec: [path, "--strict"], ...more }] })
    return judgeByPrograms(
      files,
      { change: changedFiles(treeOf(before), tree), tree, commit: "c0ffee" },
      read,
      signal,
    )
  })
}

const leftOver = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("headrace-gate-"))

describe("a gate's program", () => {
  it("gets the files of its glob, read-only, its arguments, the commit, and nothing of our environment", async () => {
    process.env.SECRET_TOKEN = "secret"
    try {
      const script = `
[ "$(find . -type f | sort | tr '\\n' ' ')" = "./jobs/a.yaml ./jobs/deep/b.yaml " ] || { echo "files: $(find .)"; exit 1; }
[ "$1" = --strict ] && [ "$HEADRACE_COMMIT" = c0ffee ] || { echo "arguments $*"; exit 1; }
[ -z "$(find . -perm /222)" ] || { echo "writable: $(find . -perm /222)"; exit 1; }
echo kept > "$HOME/scratch" && [ "$HOME" = "$TMPDIR" ] || { echo "no scratch"; exit 1; }
env | sed 's/=.*//' | grep -vxE 'PATH|HOME|TMPDIR|LANG|HEADRACE_COMMIT|PWD|OLDPWD|SHLVL|_' && exit 1
exit 0`
      expect(await judge(script)).toEqual([])
    } finally {
      delete process.env.SECRET_TOKEN
    }
  })

  it("refuses with any other exit code, and with a place where it names one of the files", async () => {
    expect(await judge("echo 'jobs/a.yaml:3:5: no owner' >&2; echo more; exit 3")).toMatchObject([
      {
        code: "gate/exec",
        file: "jobs/a.yaml",
        line: 3,
        column: 5,
        message: expect.stringMatching(/^refused with exit code 3: no owner \(gate exec/),
      },
    ])
    expect(await judge("printf '\\033[31mbad\\n'; exit 1")).toMatchObject([
      { message: expect.stringContaining("refused with exit code 1: \\u001b[31mbad") },
    ])
    expect(await judge("echo '../../etc/passwd:1: x'; exit 1")).not.toHaveProperty("0.file")
  })

  it("is not run where none of its files changes", async () => {
    expect(
      await judge("exit 1", {}, { before: { "jobs/a.yaml": "a: 1\n", "jobs/deep/b.yaml": "b: 1\n" } }),
    ).toEqual([])
    expect(
      await judge("exit 1", {}, { before: { ...FILES, "jobs/gone": "" } }),
      "one is removed",
    ).toHaveLength(1)
  })

  it.each([["/nowhere/check"], ["no-such-program-of-headrace"]])(
    "refuses when %s is not there",
    async (program) => {
      expect(await judge("", {}, { program })).toMatchObject([
        { code: "gate/no-program", hint: expect.stringMatching(/^Install/) },
      ])
    },
  )

  it("gives no verdict when it takes too long, writes too much, is killed, or we end", async () => {
    await expect(judge("sleep 60 & wait", { timeout: "200ms" })).rejects.toMatchObject({
      code: "gate/unjudged",
      message: expect.stringMatching(/took longer than 0.2 s$/),
    })
    await expect(judge("setsid sleep 3600 & sleep 3600", { timeout: "200ms" })).rejects.toMatchObject({
      message: expect.stringMatching(/took longer than 0.2 s$/),
    })
    await expect(judge("yes")).rejects.toMatchObject({
      message: expect.stringMatching(/wrote more than 1048576 bytes$/),
    })
    await expect(judge("kill -SEGV $$")).rejects.toMatchObject({ code: "gate/unjudged" })
    await expect(judge("sleep 60", {}, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/)
    expect(await leftOver()).toEqual([])
  })

  it("gets no more memory than it may have", async () => {
    const script = 'x=0123456789abcdef; while :; do x="$x$x"; done'
    const answer = await judge(script, { memory: "64Mi", timeout: "20s" }).catch((error) => error.code)
    expect(Array.isArray(answer) ? answer[0]?.code : answer).toMatch(/^gate\/(exec|unjudged)$/)
  })

  it.each([
    ["in its group", "sleep 3600 &"],
    ["with a session of its own, which holds its output open", "setsid sleep 3600 &"],
  ])("ends what it leaves in the background %s, and does not wait for that", async (_, start) => {
    await withFolder(async (folder) => {
      const file = join(folder, "pid")
      expect(await judge(`${start} echo $! > ${file}; exit 0`)).toEqual([])
      const pid = (await readFile(file, "utf8")).trim()
      // A zombie has ended; whether it is gone is up to the process that inherits it.
      await until(async () =>
        /\) [ZX] /.test(await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X ")),
      )
    })
  })
})
