import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import {
  certified,
  endGpgAgent,
  gpgSigner,
  missingPrograms,
  signedCommit,
  sshSigner,
} from "../../../../test/harness/signing-keys.ts"
import { whySkipped } from "../../../../test/harness/why-skipped.ts"
import { withFolder } from "../../../../test/harness/with-folder.ts"
import { type TestRepo, withRepo } from "../../../../test/harness/with-repo.ts"
import { RepositoryReader } from "../objects/repository-reader.ts"
import { type CommitVerifier, openCommitVerifier, type VerifyOptions } from "./commit-verifier.ts"

const noSsh = missingPrograms("ssh-keygen")
const noGpg = missingPrograms("gpg")

async function withVerifier<T>(
  repo: TestRepo,
  options: VerifyOptions,
  fn: (verifier: CommitVerifier) => Promise<T>,
): Promise<T> {
  const temporary = join(repo.scratch, "tmp")
  await mkdir(temporary, { recursive: true })
  vi.stubEnv("TMPDIR", temporary)
  const reader = new RepositoryReader(join(repo.folder, ".git"))
  const verifier = openCommitVerifier(() => reader, options)
  try {
    return await fn(verifier)
  } finally {
    await verifier.close()
    reader.close()
    vi.unstubAllEnvs()
    expect(await readdir(temporary)).toEqual([])
  }
}

/** The code and text of what judging a commit throws; undefined: it is verified. */
async function faultOf(verifier: CommitVerifier, commit: string, since: string | null = null) {
  return verifier.judge(commit, since).then(
    () => undefined,
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  )
}

describe("commits signed by SSH", () => {
  it.skipIf(noSsh)(
    `are verified by allowed signers alone, and the fault says whose key it was${whySkipped(noSsh)}`,
    () =>
      withRepo(async (repo) => {
        const keys = join(repo.scratch, "keys")
        const [alice, eve, authority] = [
          await sshSigner(keys, "alice"),
          await sshSigner(keys, "eve"),
          await sshSigner(keys, "authority"),
        ]
        const byAlice = await signedCommit(repo, alice, { a: "1" })
        const byEve = await signedCommit(repo, eve, { a: "2" })
        const unsigned = await repo.commit({ a: "3" })
        const forMallory = await signedCommit(repo, await certified(eve, authority, "mallory@evil.org"), {
          a: "4",
        })
        const allowedSigners = join(repo.scratch, "allowed")
        await withVerifier(repo, { mode: "tip", allowedSigners }, async (verifier) => {
          expect(await faultOf(verifier, byAlice)).toMatch(
            /^verify\/keys-unreadable: .*allowed cannot be read/,
          )
          await writeFile(allowedSigners, `alice@example.com ${alice.publicKey}\n`)
          expect(await faultOf(verifier, byAlice)).toBeUndefined()
          expect(await verifier.signer(byAlice)).toMatch(/^alice@example.com \(SHA256:/)
          expect(await faultOf(verifier, byEve)).toMatch(
            /^verify\/unknown-key: commit .* is signed by the ED25519 key SHA256:\S+, which is not in .*allowed$/,
          )
          expect(await faultOf(verifier, unsigned)).toBe(
            `verify/no-signature: commit ${unsigned} has no signature`,
          )
          // The same file with other words: it is read again, and what was verified before is not any more.
          await writeFile(allowedSigners, `alice@example.com valid-before="20200101Z" ${alice.publicKey}\n`)
          expect(await faultOf(verifier, byAlice)).toMatch(/^verify\/expired: .* has expired by line 1 of /)
          await writeFile(allowedSigners, `alice@example.com namespaces="file" ${alice.publicKey}\n`)
          expect(await faultOf(verifier, byAlice)).toMatch(/^verify\/bad-signature: .* other uses than git/)
          await writeFile(allowedSigners, `*@example.com cert-authority ${authority.publicKey}\n`)
          expect(await faultOf(verifier, forMallory)).toMatch(
            /^verify\/wrong-principal: .* no principal of it is allowed/,
          )
          await writeFile(allowedSigners, `*@evil.org cert-authority ${authority.publicKey}\n`)
          expect(await faultOf(verifier, forMallory)).toBeUndefined()
          await writeFile(allowedSigners, "# nobody\n")
          expect(await faultOf(verifier, byAlice)).toMatch(/^verify\/keys-unreadable: .* names no signer/)
        })
      }),
  )

  it.skipIf(noSsh)(
    `are refused when their content was changed after they were signed${whySkipped(noSsh)}`,
    () =>
      withRepo(async (repo) => {
        const alice = await sshSigner(join(repo.scratch, "keys"), "alice")
        const allowedSigners = join(repo.scratch, "allowed")
        await writeFile(allowedSigners, `alice@example.com ${alice.publicKey}\n`)
        const signed = await signedCommit(repo, alice, { a: "1" })
        const object = await repo.git("cat-file", "commit", signed)
        const file = join(repo.scratch, "object")
        await writeFile(file, `${object.replace("\n\nsigned", "\n\nforged")}\n`)
        const forged = await repo.git("hash-object", "-t", "commit", "-w", file)
        await withVerifier(repo, { mode: "tip", allowedSigners }, async (verifier) => {
          expect(await faultOf(verifier, signed)).toBeUndefined()
          expect(await faultOf(verifier, forged)).toMatch(
            /^verify\/bad-signature: commit .* does not fit its signature/,
          )
        })
      }),
  )

  it.skipIf(noSsh)(`are judged by no configuration of the repository or the user${whySkipped(noSsh)}`, () =>
    withRepo(async (repo) => {
      const keys = join(repo.scratch, "keys")
      const [alice, eve] = [await sshSigner(keys, "alice"), await sshSigner(keys, "eve")]
      const [ours, theirs] = [join(repo.scratch, "ours"), join(repo.scratch, "theirs")]
      await writeFile(ours, `alice@example.com ${alice.publicKey}\n`)
      await writeFile(theirs, `eve@example.com ${eve.publicKey}\n`)
      const byEve = await signedCommit(repo, eve, { a: "1" })
      await repo.git("config", "gpg.ssh.allowedSignersFile", theirs)
      await repo.git("config", "gpg.ssh.program", "/bin/true")
      await repo.git("config", "gpg.minTrustLevel", "undefined")
      await withVerifier(repo, { mode: "tip", allowedSigners: ours }, async (verifier) => {
        expect(await faultOf(verifier, byEve)).toMatch(/^verify\/unknown-key/)
      })
    }),
  )

  it.skipIf(noSsh)(
    `are all demanded since the one in force by 'every', on the first-parent line${whySkipped(noSsh)}`,
    () =>
      withRepo(async (repo) => {
        const alice = await sshSigner(join(repo.scratch, "keys"), "alice")
        const allowedSigners = join(repo.scratch, "allowed")
        await writeFile(allowedSigners, `alice@example.com ${alice.publicKey}\n`)
        const start = await signedCommit(repo, alice, { a: "1" })
        const hole = await repo.commit({ a: "2" })
        const tip = await signedCommit(repo, alice, { a: "3" })
        // What a signed merge brings in by its second parent is vouched for by the merge.
        await repo.git("checkout", "--quiet", "-b", "topic", start)
        await repo.commit({ b: "unsigned" })
        await repo.git("checkout", "--quiet", "main")
        await repo.git(...alice.flags, "merge", "--quiet", "--no-ff", "-S", "-m", "merge", "topic")
        const merge = await repo.tip()
        await withVerifier(repo, { mode: "every", allowedSigners }, async (verifier) => {
          expect(await faultOf(verifier, tip, start)).toContain(`commit ${hole} has no signature`)
          expect(await faultOf(verifier, tip, hole)).toBeUndefined()
          expect(await faultOf(verifier, merge, tip)).toBeUndefined()
          expect(await faultOf(verifier, tip, null)).toBeUndefined()
          // To where the one in force is not contained: a rewind.
          expect(await faultOf(verifier, start, tip)).toBeUndefined()
          expect(await faultOf(verifier, hole, tip)).toContain("no signature")
        })
        await withVerifier(repo, { mode: "tip", allowedSigners }, async (verifier) => {
          expect(await faultOf(verifier, tip, start)).toBeUndefined()
        })
      }),
  )

  it.skipIf(noSsh)(
    `end their line where a merge has made the followed line a second parent${whySkipped(noSsh)}`,
    () =>
      withRepo(async (repo) => {
        const alice = await sshSigner(join(repo.scratch, "keys"), "alice")
        const allowedSigners = join(repo.scratch, "allowed")
        await writeFile(allowedSigners, `alice@example.com ${alice.publicKey}\n`)
        await repo.git("checkout", "--quiet", "-b", "topic")
        const mine = await signedCommit(repo, alice, { b: "1" })
        await repo.git("checkout", "--quiet", "main")
        const inForce = await signedCommit(repo, alice, { a: "1" })
        await repo.git("checkout", "--quiet", "topic")
        await repo.git(...alice.flags, "merge", "--quiet", "--no-ff", "-S", "-m", "foxtrot", "main")
        const foxtrot = await repo.git("rev-parse", "HEAD")
        const reader = new RepositoryReader(join(repo.folder, ".git"))
        expect(await reader.firstParentLine(foxtrot, inForce)).toEqual([foxtrot, mine])
        reader.close()
      }),
  )
})

describe("commits signed by GPG", () => {
  it.skipIf(noGpg)(
    `are verified by the keys of the folder alone, and the fault says whose key it was${whySkipped(noGpg)}`,
    () =>
      withFolder((home) =>
        withRepo(async (repo) => {
          const alice = await gpgSigner(join(home, "g"), "alice")
          try {
            const commit = await signedCommit(repo, alice, { a: "1" })
            const gpgKeys = join(repo.scratch, "gpg-keys")
            await mkdir(gpgKeys)
            await withVerifier(repo, { mode: "tip", gpgKeys }, async (verifier) => {
              expect(await faultOf(verifier, commit)).toMatch(/^verify\/keys-unreadable: .* holds no key/)
              await writeFile(join(gpgKeys, "alice.asc"), "no key\n")
              expect(await faultOf(verifier, commit)).toMatch(/alice.asc holds no public GPG key/)
              const bob = await gpgSigner(join(home, "b"), "bob")
              await rm(join(gpgKeys, "alice.asc"))
              await writeFile(join(gpgKeys, "bob.asc"), await bob.publicKey())
              await endGpgAgent(join(home, "b"))
              expect(await faultOf(verifier, commit)).toMatch(
                new RegExp(
                  `^verify/unknown-key: .* the GPG key ${alice.fingerprint}, which is not in ${gpgKeys}`,
                ),
              )
              await writeFile(join(gpgKeys, "alice.asc"), await alice.publicKey())
              expect(await faultOf(verifier, commit)).toBeUndefined()
              expect(await verifier.signer(commit)).toMatch(/^alice <alice@example.com> \([0-9A-F]+\)$/)
              await writeFile(join(gpgKeys, "revoked.asc"), await alice.revocation())
              expect(await faultOf(verifier, commit)).toMatch(
                /^verify\/revoked: .* of alice <.*>, which is revoked/,
              )
              await rm(join(gpgKeys, "revoked.asc"))
              await alice.expire()
              await writeFile(join(gpgKeys, "alice.asc"), await alice.publicKey())
              expect(await faultOf(verifier, commit)).toMatch(
                /^verify\/expired: .* of alice <.*>, which has expired/,
              )
            })
            const allowedSigners = join(repo.scratch, "allowed")
            await writeFile(allowedSigners, "a@b ssh-ed25519 AAAA\n")
            await withVerifier(repo, { mode: "tip", allowedSigners }, async (verifier) => {
              expect(await faultOf(verifier, commit)).toMatch(
                /^verify\/no-keys: .* by GPG, and no gpgKeys are set/,
              )
            })
          } finally {
            await endGpgAgent(join(home, "g"))
          }
        }),
      ),
  )
})
