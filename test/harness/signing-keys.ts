import { execFile, spawnSync } from "node:child_process"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { type TestRepo, testGitEnvironment } from "./with-repo.ts"

const run = promisify(execFile)

/** Names the programs of these that the machine does not have; undefined: it has all of them. */
export function missingPrograms(...programs: ("gpg" | "ssh-keygen")[]): string | undefined {
  const missing = programs.filter((program) => {
    const args = program === "gpg" ? ["--version"] : ["-?"]
    return spawnSync(program, args, { stdio: "ignore" }).error !== undefined
  })
  return missing.length === 0 ? undefined : `${missing.join(" and ")} is not installed`
}

/** A person who signs commits. */
export interface Signer {
  /** Flags of git that make a commit of theirs. */
  flags: readonly string[]
  env: Record<string, string>
}

/** An SSH key. `publicKey` is as allowed signers list it: type and key. */
export interface SshSigner extends Signer {
  publicKey: string
  file: string
}

export async function sshSigner(folder: string, name: string): Promise<SshSigner> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, name)
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file])
  const [type, key] = (await readFile(`${file}.pub`, "utf8")).split(" ")
  return {
    file,
    publicKey: `${type} ${key}`,
    flags: ["-c", "gpg.format=ssh", "-c", `user.signingKey=${file}`],
    env: {},
  }
}

/** A certificate of `authority` for an SSH key, for one principal; it signs in the key's place. */
export async function certified(signer: SshSigner, authority: SshSigner, principal: string): Promise<Signer> {
  await run("ssh-keygen", ["-q", "-s", authority.file, "-I", "test", "-n", principal, `${signer.file}.pub`])
  return { ...signer, flags: ["-c", "gpg.format=ssh", "-c", `user.signingKey=${signer.file}-cert.pub`] }
}

/** A GPG key in a home of its own. */
export interface GpgSigner extends Signer {
  fingerprint: string
  /** Its public key as it is now, armored. */
  publicKey(): Promise<string>
  /** Has it be expired since 2021. */
  expire(): Promise<void>
  /** Its revocation certificate, which is to be imported beside the key. */
  revocation(): Promise<string>
}

export async function gpgSigner(home: string, name: string): Promise<GpgSigner> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const env = { GNUPGHOME: home, PATH: process.env.PATH ?? "" }
  const gpg = async (...args: string[]) => (await run("gpg", ["--batch", "--quiet", ...args], { env })).stdout
  const past = (day: number) => ["--passphrase", "", "--faked-system-time", `2020010${day}T000000!`]
  await gpg(...past(1), "--quick-generate-key", `${name} <${name}@example.com>`, "ed25519", "sign", "never")
  const listed = await gpg("--list-keys", "--with-colons")
  const fingerprint = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1] ?? ""
  return {
    fingerprint,
    flags: ["-c", "gpg.format=openpgp", "-c", `user.signingKey=${fingerprint}`],
    env,
    publicKey: () => gpg("--armor", "--export", fingerprint),
    async expire() {
      await gpg(...past(2), "--quick-set-expire", fingerprint, "1y")
    },
    async revocation() {
      const text = await readFile(join(home, "openpgp-revocs.d", `${fingerprint}.rev`), "utf8")
      return text.replace(/^:---/m, "---")
    },
  }
}

/** Ends the agent that signing has started in a GPG home. */
export async function endGpgAgent(home: string): Promise<void> {
  await run("gpgconf", ["--homedir", home, "--kill", "all"])
}

/** Makes a commit that somebody has signed; gives its id. */
export async function signedCommit(
  repo: TestRepo,
  signer: Signer,
  files: Record<string, string>,
  more: readonly string[] = [],
): Promise<string> {
  for (const [path, content] of Object.entries(files)) await writeFile(join(repo.folder, path), content)
  const env = { ...testGitEnvironment, ...signer.env }
  await run("git", ["add", "--all"], { cwd: repo.folder, env })
  const args = [...signer.flags, "commit", "--quiet", "--allow-empty", "-S", "-m", "signed", ...more]
  await run("git", args, { cwd: repo.folder, env })
  return repo.git("rev-parse", "HEAD")
}
