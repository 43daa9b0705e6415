import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import { HeadraceError } from "../../foundation/errors.ts"
import { type GitSetting, gitEnvironment } from "../process/git-environment.ts"
import { runGit } from "../process/run-git.ts"

/** Where the operator keeps the keys of those who may change a source. */
export interface SignerKeyFiles {
  /** A file as ssh-keygen(1), ALLOWED SIGNERS, has it. */
  allowedSigners?: string | undefined
  /** A folder of public GPG keys, armored or not. */
  gpgKeys?: string | undefined
}

/** The keys as they were read at one time. */
export interface SignerKeys {
  /** Of the content of every file: another one means that what was judged is judged again. */
  digest: string
  /** The environment in which git knows these keys, and no others. */
  env: Record<string, string>
}

/** Reads keys whenever they are needed, and keeps what git needs of them until they change. */
export interface SignerKeyring {
  /** Throws `verify/keys-unreadable`, `verify/program-missing`. */
  current(signal?: AbortSignal): Promise<SignerKeys>
  close(): Promise<void>
}

/**
 * What no user's home has a say in: gpg neither asks servers for keys nor starts programs, and every key that the
 * operator's folder holds is as good as another. gpg(1).
 */
const GPG_CONF = "batch\nno-autostart\nno-auto-key-retrieve\nno-auto-key-locate\ntrust-model always\n"
const DIGITS = 16

/** Opens the keyring of a source. Nothing is read yet. */
export function openSignerKeyring(files: SignerKeyFiles): SignerKeyring {
  let known: { keys: SignerKeys; home: string } | undefined
  let turn: Promise<unknown> = Promise.resolve()

  async function read(signal: AbortSignal | undefined): Promise<SignerKeys> {
    const found = await readKeyFiles(files)
    if (known?.keys.digest === found.digest) return known.keys
    const home = await mkdtemp(join(tmpdir(), "headrace-keys-"))
    try {
      const keys = await makeHome(home, found, signal)
      const old = known?.home
      known = { keys, home }
      if (old !== undefined) await removeHome(old)
      return keys
    } catch (error) {
      await removeHome(home)
      throw error
    }
  }

  return {
    current(signal) {
      const next = turn.then(() => read(signal))
      turn = next.catch(() => undefined)
      return next
    },
    async close() {
      await turn
      if (known !== undefined) await removeHome(known.home)
      known = undefined
    },
  }
}

interface KeyFiles {
  digest: string
  allowedSigners: Buffer | undefined
  /** File name to content. */
  gpgKeys: readonly (readonly [string, Buffer])[]
}

async function readKeyFiles({ allowedSigners, gpgKeys }: SignerKeyFiles): Promise<KeyFiles> {
  const signers = allowedSigners === undefined ? undefined : await readKeyFile(allowedSigners)
  if (signers !== undefined && !/^\s*[^#\s]/m.test(signers.toString("utf8")))
    throw unreadable(`${allowedSigners} names no signer`)
  const keys = gpgKeys === undefined ? [] : await readKeyFolder(gpgKeys)
  const content = [signers && sha256(signers), ...keys.map(([name, key]) => [name, sha256(key)])]
  const digest = sha256(canonicalJson(content)).slice(0, DIGITS)
  return { digest, allowedSigners: signers, gpgKeys: keys }
}

/** Hidden names are those of a mounted Secret's own folders. */
async function readKeyFolder(folder: string): Promise<[string, Buffer][]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw unreadable(`the folder ${folder} cannot be read`, cause)
  })
  const keys: [string, Buffer][] = []
  for (const name of names.filter((one) => !one.startsWith(".")).sort()) {
    const place = join(folder, name)
    if ((await stat(place)).isFile()) keys.push([place, await readKeyFile(place)])
  }
  if (keys.length === 0) throw unreadable(`the folder ${folder} holds no key`)
  return keys
}

async function readKeyFile(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw unreadable(`${file} cannot be read`, cause)
  })
}

/** A copy, so that git judges by the very keys that the digest is of. */
async function makeHome(home: string, found: KeyFiles, signal: AbortSignal | undefined): Promise<SignerKeys> {
  await chmod(home, 0o700)
  await writeFile(join(home, "gpg.conf"), GPG_CONF)
  // Without it a gpg from 2.4.1 on may keep keys in a daemon, which is not started here: keyboxd(8).
  await writeFile(join(home, "common.conf"), "")
  const signers = join(home, "allowed-signers")
  await writeFile(signers, found.allowedSigners ?? "")
  const scratch = join(home, "scratch")
  await mkdir(scratch)
  const env = verifyEnvironment(home, signers, scratch)
  for (const [place, key] of found.gpgKeys) await importKey(place, key, env, signal)
  return { digest: found.digest, env }
}

/** Settings of a command go before those of any repository: git-config(1), GIT_CONFIG_COUNT. */
function verifyEnvironment(home: string, signers: string, scratch: string): Record<string, string> {
  const settings: GitSetting[] = [
    ["gpg.format", "openpgp"],
    ["gpg.program", "gpg"],
    ["gpg.openpgp.program", "gpg"],
    // No X.509: gpgsm would ask a daemon and the system's authorities.
    ["gpg.x509.program", "/bin/false"],
    ["gpg.ssh.program", "ssh-keygen"],
    ["gpg.ssh.allowedSignersFile", signers],
    ["gpg.minTrustLevel", "fully"],
  ]
  return gitEnvironment(settings, { GNUPGHOME: home, TMPDIR: scratch })
}

async function importKey(
  place: string,
  key: Buffer,
  env: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    // A revocation wants a trust database, which "always" would not make.
    const args = ["--quiet", "--trust-model", "pgp", "--import"]
    await runGit({ program: "gpg", args, env, stdin: key, signal })
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof HeadraceError && cause.code === "git/not-installed") {
      throw new HeadraceError("verify/program-missing", "gpg is not installed, and gpgKeys need it", {
        hint: "Install gnupg beside git.",
        cause,
      })
    }
    throw unreadable(`${place} holds no public GPG key`, cause)
  }
}

async function removeHome(home: string): Promise<void> {
  await rm(home, { recursive: true, force: true, maxRetries: 3 })
}

function unreadable(message: string, cause?: unknown): HeadraceError {
  return new HeadraceError("verify/keys-unreadable", message, {
    hint: "Correct the file: it is read again for every commit.",
    cause,
  })
}
