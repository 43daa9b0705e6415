import { z } from "zod"
import { closestWord } from "../foundation/closest-word.ts"
import { BYTES, canWait, DURATION, readBytes, readDuration } from "../foundation/read-units.ts"

const A_DURATION = "expected a duration such as 30s, 10m or 1h"
const A_PERCENTAGE = "expected a percentage such as 20%"

/** `250ms`, `30s`, `10m`, `1h`, `3d`: text to milliseconds. */
export const Duration = z
  .string(A_DURATION)
  .regex(DURATION, A_DURATION)
  .transform((text) => readDuration(text) ?? 0)

/** A Duration to wait for, over and over: not nothing, and at most 14d. */
export const Wait = Duration.refine(canWait, "expected more than nothing and at most 14d")

/** `512Ki`, `64Mi`, `2Gi`, `1000`: text or number to bytes. */
export const Bytes = z
  .union([z.int().min(0).transform(String), z.string()])
  .pipe(z.string().regex(BYTES, "expected a size such as 64Mi or 2Gi"))
  .transform((text) => readBytes(text) ?? 0)

/** `20%`: text to a share between 0 and 1. */
export const Percent = z
  .string(A_PERCENTAGE)
  .regex(/^(100|\d{1,2})%$/, A_PERCENTAGE)
  .transform((text) => Number.parseInt(text, 10) / 100)

/** Text of at least one character: an empty value is a variable of a template that was not filled in. */
export const Text = z.string().min(1, "expected text, and this is empty")

const TRANSPORTS = ["https", "ssh", "http", "git", "file"]

/** Where to fetch from. A password in it would be in logs and in the list of processes. */
export const GitUrl = Text.refine(
  (url) => !/^https?:\/\/[^/]*@/i.test(url) && !/^[a-z+]+:\/\/[^/@]*:[^/@]*@/i.test(url),
  "expected a URL without user and password; put the token into a file and name that as auth.tokenFile",
).superRefine((url, context) => {
  const [, scheme, slashes = ""] = /^([^:/@]+):(\/\/|\/(?!\/)|:)/.exec(url) ?? []
  if (scheme === undefined) return
  const isKnown = TRANSPORTS.includes(scheme.toLowerCase())
  // HOST:/PATH is SSH's own form, but for a host that nobody calls https.
  if (slashes === "/" ? !isKnown : isKnown) return
  const near = isKnown ? `${scheme}://` : closestWord(scheme, TRANSPORTS)
  const meant = near === undefined ? "" : `; did you mean ${near}?`
  const message = `expected https://, ssh://, git@HOST:PATH or a path, found ${scheme}:${slashes}${meant}`
  context.addIssue({ code: "custom", message })
})

/** An API that is called by HTTP. */
export const HttpUrl = z.url({ protocol: /^https?$/, error: "expected a URL such as https://api.github.com" })

/** RFC 1123, as Kubernetes has it. */
export const NamespaceName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "expected a namespace: lower-case letters, digits and -")

/** A namespace, or a pattern of several: `*` is any number of letters. */
export const NamespacePattern = z
  .string()
  .regex(
    /^(?=.*[a-z0-9*])[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$/,
    "expected a namespace, or a pattern such as team-*: lower-case letters, digits, - and *",
  )

/** Where a program works does not say where its service manager starts it: a path of a node is absolute. */
export const AbsolutePath = z
  .string()
  .startsWith("/", "expected an absolute path, such as /var/lib/headrace/jobs")
