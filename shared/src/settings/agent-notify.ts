import { z } from "zod"
import { Text, Wait } from "./units.ts"

const command = z
  .array(z.string())
  .refine(([program]) => program !== "", "expected a program first, and this is empty")
  .min(1)
  .describe("Program and arguments; no shell. It sees HEADRACE_REVISION, HEADRACE_TOKEN and HEADRACE_PATH.")

/** A program asked before a revision is shown: any exit code but 0 keeps the revision back. */
export const BeforePublish = z.strictObject({
  exec: command,
  timeout: Wait.prefault("30s").describe("After this it is killed, which counts as a veto."),
})
export type BeforePublishSettings = z.infer<typeof BeforePublish>

/** One consumer to notify of a published revision: at least once, coalesced, retried, at start too. */
export const Notify = z
  .strictObject({
    exec: command.optional(),
    http: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("URL to call; the headers Headrace-Revision and Headrace-Token say what is shown."),
    method: Text.prefault("POST").describe("With http."),
    status: z
      .int()
      .min(100)
      .max(599)
      .optional()
      .describe("With http: the answer that counts; otherwise any 2xx."),
    signal: z
      .enum(["HUP", "INT", "TERM", "USR1", "USR2", "WINCH"])
      .optional()
      .describe(
        "Signal to send to the process of pidFile, or to those named process: any of the Pod; on a node those of the agent's own user or tree, and those whose own user wrote the pidFile.",
      ),
    pidFile: Text.optional().describe("With signal: file that holds the process id."),
    process: Text.optional().describe("With signal: name of the program (/proc/PID/comm)."),
    touch: Text.optional().describe(
      "File to replace by one that holds the revision and token, each on a line.",
    ),
    timeout: Wait.prefault("30s").describe("For one attempt."),
    pause: Wait.optional().describe(
      "After one that succeeded, the next comes no sooner; for programs for which several reloads in a row are too much.",
    ),
  })
  .refine(
    ({ exec, http, signal, touch }) =>
      [exec, http, signal, touch].filter((way) => way !== undefined).length === 1,
    { message: "expected one of exec, http, signal and touch" },
  )
  .refine(
    ({ signal, pidFile, process }) =>
      (signal === undefined) === (pidFile === undefined && process === undefined),
    {
      message: "signal needs pidFile or process, and they need signal",
    },
  )
export type NotifySettings = z.infer<typeof Notify>
