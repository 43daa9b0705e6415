import fc from "fast-check"
import { mergedEvent, pushEvent } from "./with-plugin.ts"

/** A signed body, and the event that its header names. */
export interface SignedEvent {
  event: string
  body: string
}

const SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/
/** Lower-case hexadecimal text. */
export const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
const anythingBut = (...right: unknown[]) => fc.jsonValue().filter((value) => !right.includes(value))
const noSha = fc.oneof(
  anythingBut(null).filter((value) => !(typeof value === "string" && SHA.test(value))),
  hex(39),
  hex(41),
  fc.constantFrom("0".repeat(40), "g".repeat(40), "A".repeat(40), ` ${"a".repeat(40)}`),
)
const noRepo = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom("release", "openshift/", "/release", "openshift/release/x", "openshift /release"),
)
const noBranch = fc.constantFrom(
  "heads/main",
  "refs/heads/",
  "refs/tags/main",
  "refs/headz/main",
  "refs/heads/Main",
  "main",
)

/** Where the field may be absent without harm, it is not left out. */
const OPTIONAL = ["deleted"]

/** An event that would wake somebody, but for one field: absent (undefined), or of a value that it must not have. */
export const spoiledEvent: fc.Arbitrary<SignedEvent> = fc.oneof(
  spoiledAt("push", "ref", fc.oneof(anythingBut("refs/heads/main"), noBranch)),
  spoiledAt("push", "after", noSha),
  spoiledAt("push", "deleted", anythingBut(false)),
  spoiledAt("push", "repository", fc.jsonValue()),
  spoiledAt("push", "repository.full_name", noRepo),
  spoiledAt("pull_request", "action", anythingBut("closed")),
  spoiledAt("pull_request", "number", fc.oneof(anythingBut(7), fc.constantFrom(0, -1, 1.5, "7"))),
  spoiledAt("pull_request", "pull_request", fc.jsonValue()),
  spoiledAt("pull_request", "pull_request.merged", anythingBut(true)),
  spoiledAt("pull_request", "pull_request.merge_commit_sha", noSha),
  spoiledAt("pull_request", "pull_request.base.ref", anythingBut("main")),
  spoiledAt("pull_request", "repository.full_name", noRepo),
)

function spoiledAt(event: "push" | "pull_request", path: string, values: fc.Arbitrary<unknown>) {
  const spoiling = OPTIONAL.includes(path) ? values : fc.oneof(values, fc.constant(undefined))
  return spoiling
    .filter((value) => !isRight(path, value))
    .map((value) => {
      const payload = event === "push" ? pushEvent("a".repeat(40)) : mergedEvent("a".repeat(40))
      const steps = path.split(".")
      const last = steps.pop() ?? ""
      const holder = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], payload)
      ;(holder as Record<string, unknown>)[last] = value
      return { event, body: JSON.stringify(payload) }
    })
}

/** A number that is a pull request's is right, and so is a repository that somebody follows. */
function isRight(path: string, value: unknown): boolean {
  if (path === "number") return Number.isSafeInteger(value) && Number(value) > 0
  return path === "repository.full_name" && /^openshift\/(release|tools)$/i.test(String(value))
}

/** No event at all. */
export const anyBody: fc.Arbitrary<SignedEvent> = fc.record({
  event: fc.constantFrom("push", "pull_request"),
  body: fc.oneof(fc.json(), fc.string()),
})
