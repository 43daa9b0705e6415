import { describe, expect, it } from "vitest"
import { quiet, reconcileFixture } from "../../../test/harness/reconcile-fixture.ts"
import { HeadraceError } from "../foundation/errors.ts"
import type { CommitVerifier } from "../git/verify/commit-verifier.ts"
import { verificationOf } from "../record/verification.ts"
import { approveCommit, approveUnverified } from "./operate/approve-commit.ts"
import { releaseSource, rewindSource } from "./operate/hold-source.ts"

/** A verifier whose keys a test changes: it believes the commits in `signed`. */
function fakeVerifier() {
  const signed = new Set<string>()
  const judged: string[] = []
  const state = { keys: "first" }
  function check(commit: string): void {
    if (!signed.has(commit))
      throw new HeadraceError("verify/no-signature", `commit ${commit} has no signature`)
  }
  const verifier: CommitVerifier = {
    keys: async () => state.keys,
    judge: async (commit, since) => {
      judged.push(`${since} ${commit}`)
      check(commit)
    },
    signer: async (commit) => {
      check(commit)
      return "alice@example.com"
    },
    close: async () => {},
  }
  return { signed, judged, state, verifier }
}

async function fixture() {
  const here = reconcileFixture({ "a/1.txt": "one" })
  const { signed, judged, state, verifier } = fakeVerifier()
  const ports = { ...here.ports, source: "release", namespace: "headrace" }
  return {
    ...here,
    signed,
    judged,
    state,
    ports,
    verify: () => {
      here.ports.verifiers = { source: verifier, rules: undefined }
    },
    async noted() {
      const configMap = await here.kube.get("headrace", "release")
      return configMap && verificationOf(configMap, await here.record())
    },
  }
}

describe("a source that is verified", () => {
  it("stops at a commit without signature with last good in force, until one is lifted, once", async () => {
    const here = await fixture()
    const { ports, repository, signed, judged } = here
    here.verify()
    const first = repository.tip()
    signed.add(first)
    expect(await here.run()).toMatchObject({ result: "applied", commit: first })
    expect(await here.noted()).toMatchObject({ state: "verified", detail: "alice@example.com" })

    const second = here.commit({ "a/1.txt": "two" })
    expect(await here.run()).toMatchObject({
      result: "stopped",
      commit: first,
      stopped: { code: "verify/no-signature", message: `commit ${second} has no signature`, commit: second },
    })
    expect(await here.data("alpha")).toEqual({ "1.txt": "one" })

    // The guard's approval is for deletions alone.
    await approveCommit(ports, second, quiet)
    expect(await here.run()).toMatchObject({ result: "stopped" })
    await approveUnverified(ports, second, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: second })
    expect((await here.record()).approved).toBeNull()
    expect(await here.noted()).toMatchObject({ state: "lifted" })

    const third = here.commit({ "a/1.txt": "three" })
    expect(await here.run()).toMatchObject({ result: "stopped", commit: second })
    signed.add(third)
    expect(await here.run()).toMatchObject({ result: "applied", commit: third })
    expect(judged.at(-1)).toBe(`${second} ${third}`)
    expect(await here.data("alpha")).toEqual({ "1.txt": "three" })
  })

  it("is not brought by a rewind to a commit that is not verified, and not by the intent that the rewind opens", async () => {
    const here = await fixture()
    const { ports, repository, signed } = here
    const first = repository.tip()
    await here.run()
    const second = here.commit({ "a/1.txt": "two" })
    await here.run()
    here.verify()
    signed.add(second)
    await rewindSource(ports, { commit: first, by: "op", reason: "back", until: null }, quiet)
    expect(await here.run()).toMatchObject({ result: "stopped", commit: second })
    expect(await here.run("full")).toMatchObject({ result: "stopped", commit: second })
    expect(await here.data("alpha")).toEqual({ "1.txt": "two" })
    await approveUnverified(ports, first, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: first })
    expect(await here.data("alpha")).toEqual({ "1.txt": "one" })
    await releaseSource(ports, quiet)
    expect(await here.run()).toMatchObject({ result: "applied", commit: second })
  })

  it("has what is in force judged again when keys change, and named, and goes on showing it", async () => {
    const here = await fixture()
    const { repository, signed, state, writes } = here
    const first = repository.tip()
    await here.run()
    here.verify()
    // In force since before it was verified: it is not called verified, and nothing is taken away.
    expect(await here.run()).toMatchObject({ result: "noop", commit: first })
    expect(await here.noted()).toMatchObject({ state: "unverified", keys: "first -" })
    signed.add(first)
    state.keys = "second"
    expect(await here.run()).toMatchObject({ result: "noop" })
    expect(await here.noted()).toMatchObject({ state: "verified", keys: "second -" })
    writes.length = 0
    await here.run()
    await here.run("full")
    expect(writes).toEqual([])
    signed.delete(first)
    state.keys = "third"
    await here.run()
    expect(await here.noted()).toMatchObject({
      state: "unverified",
      detail: expect.stringContaining("no signature"),
    })
    expect(await here.data("alpha")).toEqual({ "1.txt": "one" })
  })
})
