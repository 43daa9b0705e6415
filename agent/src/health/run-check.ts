import { constants } from "node:fs"
import { errorMessage, HeadraceError } from "@headrace/shared/foundation/errors"
import { withOpenFile } from "@headrace/shared/foundation/with-open-file"
import { tokenText } from "@headrace/shared/record/token"
import type { AfterCheckSettings } from "@headrace/shared/settings/agent-after"
import { callHttp } from "../notify/call-http.ts"
import { type Notice, noticeEnvironment, noticeHeaders } from "../notify/notice.ts"
import { runHook } from "../notify/run-hook.ts"

/** What one run of a check found; `silent`: the consumer has not answered for this revision. */
export type CheckResult =
  | { outcome: "passed" }
  | { outcome: "failed"; message: string }
  | { outcome: "silent"; message: string }

/** Bytes of an answer that are read of a file, and characters of a message that are kept. */
const ANSWER_BYTES = 1024
const MESSAGE_LENGTH = 300

/**
 * Runs one check of what is shown, once, within its timeout. What it started ends with it. Rejects only with the signal's
 * reason.
 */
export async function runCheck(
  check: AfterCheckSettings,
  notice: Notice,
  signal: AbortSignal,
): Promise<CheckResult> {
  try {
    return await answerOf(check, notice, signal)
  } catch (error) {
    signal.throwIfAborted()
    return { outcome: "failed", message: failureText(error).slice(0, MESSAGE_LENGTH) }
  }
}

async function answerOf(
  { http, exec, file, timeout }: AfterCheckSettings,
  notice: Notice,
  signal: AbortSignal,
): Promise<CheckResult> {
  if (http !== undefined) {
    const call = { url: http, method: "GET", status: undefined, timeout, headers: noticeHeaders(notice) }
    await callHttp(call, signal)
    return { outcome: "passed" }
  }
  if (exec !== undefined) {
    const env = noticeEnvironment(notice)
    await runHook({ command: exec, timeout, folder: "/", env, isolated: true }, signal)
    return { outcome: "passed" }
  }
  return fileAnswer(await firstLine(file ?? ""), file ?? "", notice)
}

/** Reads what a consumer wrote about a revision: an answer about another one is no answer. Pure. */
export function fileAnswer(
  line: string | undefined,
  file: string,
  { revision, token }: Pick<Notice, "revision" | "token">,
): CheckResult {
  if (line === undefined) return { outcome: "silent", message: `${file} is not there` }
  const [of = "", word, ...rest] = line.trim().split(/\s+/)
  if (of !== revision && of !== tokenText(token)) {
    return { outcome: "silent", message: `${file} does not name the revision that is shown` }
  }
  if (word === undefined || word === "ok") return { outcome: "passed" }
  if (word !== "failed") return { outcome: "silent", message: `${file} says neither ok nor failed` }
  const why = rest.join(" ").slice(0, MESSAGE_LENGTH)
  return { outcome: "failed", message: why === "" ? `${file} says failed` : why }
}

/** Undefined where there is no file. A pipe or a device is no file: reading one could wait for ever. */
async function firstLine(path: string): Promise<string | undefined> {
  try {
    // O_NONBLOCK, so that opening a pipe does not wait for its writer (fifo(7)).
    return await withOpenFile(path, constants.O_RDONLY | constants.O_NONBLOCK, async (file) => {
      if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(ANSWER_BYTES), 0, ANSWER_BYTES, 0)
      return buffer.toString("utf8", 0, bytesRead).split("\n")[0]
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** What a program wrote last says more than its exit code. */
function failureText(error: unknown): string {
  const output = error instanceof HeadraceError ? error.fields.output : undefined
  const text = errorMessage(error)
  return typeof output === "string" && output !== "" ? `${text}: ${output}` : text
}
