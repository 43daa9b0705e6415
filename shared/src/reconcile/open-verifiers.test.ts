import { describe, expect, it } from "vitest"
import type { Mirror } from "../git/open-mirror.ts"
import { OperatorSettings } from "../settings/operator-settings.ts"
import { openVerifiers } from "./open-verifiers.ts"

const NONE = "not verified"

/** Whose keys a file would have, which is not there: the error that says so names the file that was to judge. */
const by = (name: string) => ({ verify: { allowedSigners: `/none/${name}-signers` } })

/** Whose keys judge the commits of source `release`, and those of its rules. */
async function judges(release: object, rules: object, from: unknown = { source: "rules", path: "r.yaml" }) {
  const repository = { url: "https://example.com/x.git", branch: "main" }
  const { sources } = OperatorSettings.parse({
    version: 1,
    sources: {
      release: { ...repository, rules: from, ...release },
      rules: { ...repository, rules: "r.yaml", ...rules },
    },
  })
  const verifiers = openVerifiers({ sources }, async () => ({}) as Mirror)
  try {
    const found = await verifiers.of("release")
    const named = [found?.source, found?.rules].map(async (verifier) => {
      if (verifier === undefined) return NONE
      const error = await verifier.keys().then(
        () => undefined,
        (reason: Error) => reason,
      )
      return /\/none\/(\w+)-signers/.exec(error?.message ?? "")?.[1]
    })
    return await Promise.all(named)
  } finally {
    await verifiers.close()
  }
}

describe("rules from another source", () => {
  it.each([
    { title: "are judged by that source's verify", of: [by("alice"), by("bob")], found: ["alice", "bob"] },
    {
      title: "are judged by the source's where that has none",
      of: [by("alice"), {}],
      found: ["alice", "alice"],
    },
    { title: "are judged by theirs though the source has none", of: [{}, by("bob")], found: [NONE, "bob"] },
    { title: "are not judged where neither has one", of: [{}, {}], found: [NONE, NONE] },
  ])("$title", async ({ of: [release = {}, rules = {}], found }) => {
    expect(await judges(release, rules)).toEqual(found)
  })

  it("are no concern of a source that has its own", async () => {
    expect(await judges(by("alice"), by("bob"), "r.yaml")).toEqual(["alice", NONE])
  })
})
