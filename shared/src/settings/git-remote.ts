import { z } from "zod"
import { Text } from "./units.ts"

/** How a git source is reached, beside its URL and credentials. */
export const gitRemote = {
  caFile: Text.optional().describe(
    "PEM file of the authorities that the server's certificate is checked against, in place of the system's.",
  ),
  proxy: z
    .string()
    .regex(
      /^(https?|socks5h?):\/\/[^@\s/]+\/?$/,
      "expected http://HOST:PORT, https:// or socks5://, without credentials",
    )
    .optional()
    .describe("Proxy to fetch by; absent: HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the environment."),
  allowPlaintext: z
    .boolean()
    .prefault(false)
    .describe("Fetch over git:// and http://, too, which nothing protects on the way."),
  fsckIgnore: z
    .array(z.string().regex(/^[A-Za-z]+$/, "expected a name such as missingSpaceBeforeDate"))
    .optional()
    .describe("Faults of old objects that are accepted, by git's names for them (git-fsck, fsck.<msg-id>)."),
}
