import { z } from "zod"

const WRITE_BITS = 0o222

/** Permission bits of a file, in octal and in quotes; gives their number. */
export const FileMode = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'expected permission bits in octal, in quotes, such as "0444"')
  .transform((text) => Number.parseInt(text, 8))

/** The same without any that let somebody write: revisions share files. */
const ReadOnlyMode = FileMode.refine(
  (mode) => (mode & WRITE_BITS) === 0,
  "expected no write bits: revisions share files",
)

const FolderMode = z
  .string()
  .regex(/^[0-7]?[0-7]{3}$/, 'expected permission bits in octal, in quotes, such as "2755"')
  .transform((text) => Number.parseInt(text, 8))

const Id = z.int().min(0)

/** Modes and owner of what an agent publishes, exact whatever the umask. */
export const PermissionsSettings = z.strictObject({
  file: ReadOnlyMode.optional().describe("Of files; otherwise 0444."),
  executable: ReadOnlyMode.optional().describe("Of executables; otherwise 0555."),
  directory: FolderMode.optional().describe(
    "Of folders; otherwise 0755. With 2000 what others make in them takes their group, as for a pod's fsGroup.",
  ),
  uid: Id.optional().describe(
    "Owner; otherwise the agent's own user. Another takes the right to give files away (CAP_CHOWN).",
  ),
  gid: Id.optional().describe("Group, such as a pod's fsGroup; otherwise the agent's own."),
})
export type PermissionsSettings = z.infer<typeof PermissionsSettings>
