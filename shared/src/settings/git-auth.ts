import { z } from "zod"
import { Text } from "./units.ts"

/** How to prove to a git server who we are. Secrets are files, read again at each use. */
export const GitAuth = z.strictObject({
  tokenFile: Text.optional().describe("File that holds an HTTPS token."),
  sshKeyFile: Text.optional().describe("File that holds an SSH private key."),
  sshKnownHostsFile: Text.optional().describe(
    "File with the SSH server's keys; otherwise the user's known_hosts.",
  ),
  sshHostKeys: z
    .enum(["strict", "accept-new", "off"])
    .optional()
    .describe(
      "strict (default): only known servers; accept-new: note a new server's key; off: trust anybody.",
    ),
  githubApp: z
    .strictObject({ appId: z.int(), installationId: z.int(), privateKeyFile: Text })
    .optional()
    .describe("A GitHub App's installation."),
})
