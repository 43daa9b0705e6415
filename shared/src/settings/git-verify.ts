import { z } from "zod"
import { Text } from "./units.ts"

/** Whose signatures a source's commits must carry. Key files are read again for every commit. */
export const Verify = z
  .strictObject({
    mode: z
      .enum(["tip", "every"])
      .prefault("tip")
      .describe(
        "tip: the commit to be shown is signed; every: each commit on the first-parent line since the one in force (at first, and after a rewind, the commit alone).",
      ),
    allowedSigners: Text.optional().describe(
      "File of SSH keys and who has them, as ssh-keygen(1) has it under ALLOWED SIGNERS.",
    ),
    gpgKeys: Text.optional().describe("Folder of public GPG keys; each of them may sign."),
  })
  .refine(({ allowedSigners, gpgKeys }) => allowedSigners !== undefined || gpgKeys !== undefined, {
    message: "expected allowedSigners, gpgKeys or both",
  })
export type VerifySettings = z.infer<typeof Verify>
