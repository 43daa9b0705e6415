import { z } from "zod"
import { compileGlob } from "../foundation/compile-glob.ts"
import { Bytes, Percent, Text, Wait } from "./units.ts"

const A_FACTOR = "expected a factor above x1, such as x4 or x1.5"

/** `x4`, `x1.5`: text to a number above 1. */
const Factor = z
  .string(A_FACTOR)
  .regex(/^x\d{1,6}(\.\d{1,3})?$/, A_FACTOR)
  .transform((text) => Number(text.slice(1)))
  .refine((factor) => factor > 1, A_FACTOR)

const Glob = Text.superRefine((glob, { addIssue }) => {
  try {
    compileGlob(glob)
  } catch (error) {
    addIssue({ code: "custom", message: `the glob cannot be used: ${(error as Error).message}` })
  }
})

const ChangeGate = z.strictObject({
  targets: Percent.optional().describe(
    "Refuse a change of more than this share of the ConfigMaps in force; up to 5 of them may always change.",
  ),
  bytes: Factor.optional().describe(
    "Refuse a file that becomes this many times as large, or shrinks to that part of its size; files up to 64 KiB may do both.",
  ),
  emptied: z
    .int()
    .min(0)
    .optional()
    .describe(
      "Refuse a change by which more values than this become empty: whole files, and fields of files that `parse`, `schema` or `builtin` reads.",
    ),
})

/** A relative path would be one in the files that are judged. */
const A_PROGRAM = "expected an absolute path, or a name that PATH has"

const KINDS = ["parse", "schema", "builtin", "exec"] as const
const OF_EXEC = ["timeout", "memory", "onPullRequests"] as const

const FileGate = z
  .strictObject({
    glob: Glob.describe("The files that it judges, by their paths in the repository, as globs of rules are."),
    parse: z
      .enum(["yaml", "json"])
      .optional()
      .describe("Refuse files that are not YAML, in every document, or not JSON."),
    schema: Text.optional().describe(
      "Refuse files that are not valid under this JSON Schema, a path in the same repository, read at the commit that is judged.",
    ),
    builtin: z
      .enum(["prow-jobs"])
      .optional()
      .describe(
        "`prow-jobs`: refuse job files that Prow would not load: a file name twice, in whatever folders; no mapping at the top.",
      ),
    exec: z
      .array(Text)
      .min(1)
      .refine(([program = ""]) => program.startsWith("/") || !program.includes("/"), A_PROGRAM)
      .optional()
      .describe(
        "A program with its arguments, no shell, that exits with 0 when the files are good. It runs in a folder that holds the files of the glob.",
      ),
    timeout: Wait.optional().describe("Of exec: after this it is killed, and the commit is not judged. 30s."),
    memory: Bytes.optional().describe("Of exec: what each of its processes may allocate. 1Gi."),
    onPullRequests: z
      .boolean()
      .optional()
      .describe("Of exec: `check` runs it too, though a stranger may have written the files. False."),
  })
  .check(({ value, issues }) => {
    const kinds = KINDS.filter((kind) => value[kind] !== undefined)
    const [, second] = kinds
    if (kinds.length === 0 || second !== undefined) {
      const message = `expected exactly one of ${KINDS.join(", ")}${second ? `, and there are ${kinds.join(" and ")}` : ""}`
      issues.push({ code: "custom", message, input: value, path: second ? [second] : [] })
    }
    if (value.exec !== undefined) return
    for (const field of OF_EXEC) {
      if (value[field] === undefined) continue
      issues.push({
        code: "custom",
        message: `${field} is of exec alone`,
        input: value[field],
        path: [field],
      })
    }
  })

/** What a source's commits must meet before anything of them is written. */
export const Gates = z.strictObject({
  change: ChangeGate.optional().describe("How much one commit may change of what is in force."),
  files: z
    .array(FileGate)
    .max(64, "expected at most 64 gates")
    .prefault([])
    .describe("What changed files must be. A file that several gates name must meet each."),
})
export type Gates = z.infer<typeof Gates>
export type ChangeGate = z.infer<typeof ChangeGate>
export type FileGate = Gates["files"][number]
