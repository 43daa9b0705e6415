import { z } from "zod"
import { AbsolutePath, Duration, HttpUrl, Wait } from "./units.ts"

/** One check of a revision after it is shown: whether its consumer is healthy with it. */
export const AfterCheck = z
  .strictObject({
    http: HttpUrl.optional().describe(
      "URL to GET: any 2xx passes. The headers Headrace-Revision and Headrace-Token say what is shown; redirects are not followed.",
    ),
    exec: z
      .array(z.string())
      .min(1)
      .refine(([program]) => program !== "", "expected a program first, and this is empty")
      .optional()
      .describe(
        "Program and arguments, no shell: exit code 0 passes. Of the agent's variables it gets only PATH, HOME, TMPDIR, TZ and the locale, beside HEADRACE_REVISION, HEADRACE_TOKEN and HEADRACE_PATH.",
      ),
    file: AbsolutePath.optional().describe(
      "File that the consumer writes: `REVISION ok` passes, `REVISION failed WHY` fails, REVISION being the revision's id or token; anything else is no answer yet.",
    ),
    every: Wait.prefault("10s").describe("How often; the first time so long after the revision is shown."),
    for: Duration.prefault("5m").describe(
      "How long after a revision is shown. A check that does not pass continues, and so do those of a candidate of a rollout.",
    ),
    timeout: Wait.prefault("10s").describe("For one run, which fails after this."),
    failures: z.int().min(1).max(100).prefault(1).describe("As many runs in a row must fail."),
  })
  .refine(({ http, exec, file }) => [http, exec, file].filter((given) => given !== undefined).length === 1, {
    message: "expected one of http, exec and file",
  })
export type AfterCheckSettings = z.infer<typeof AfterCheck>
