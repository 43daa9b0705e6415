import { type ErrorCode, HeadraceError } from "../../foundation/errors.ts"
import type { SignatureKind } from "./signature-kind.ts"

/** What a failed verification is about. */
export interface JudgedSignature {
  commit: string
  kind: SignatureKind
  /** What `git verify-commit --raw` wrote to standard error. */
  said: string
  /** The operator's files, for messages; undefined: none of that kind. */
  allowedSigners: string | undefined
  gpgKeys: string | undefined
}

/** One thing that ssh-keygen or gpg says, and what it means: doc/DETAILS of GnuPG, sshsig.c of OpenSSH. */
interface Fault {
  pattern: RegExp
  code: ErrorCode
  /** Follows "commit X ". */
  text(found: RegExpExecArray, judged: JudgedSignature): string
}

const PROGRAM_MISSING: Fault = {
  pattern: /cannot (?:run|exec) '?([\w./-]*(?:gpg|ssh-keygen))/,
  code: "verify/program-missing",
  text: ([, program]) => `cannot be verified: ${program} is not installed`,
}

const SSH_FAULTS: readonly Fault[] = [
  PROGRAM_MISSING,
  {
    pattern: /:(\d+): (?:certificate|key) (has expired|is not yet valid): (.*)/,
    code: "verify/expired",
    text: ([, line, what, times], judged) =>
      `is signed by ${sshKey(judged)}, which ${what} by line ${line} of ${judged.allowedSigners} (${times})`,
  },
  {
    pattern:
      /no valid principals found|certificate not authorized|Certificate (invalid|lists no matching|has expired)[^\n]*/i,
    code: "verify/wrong-principal",
    text: (_, judged) =>
      `is signed by a certificate for ${sshKey(judged)} whose authority is in ${judged.allowedSigners}, and no principal of it is allowed there`,
  },
  {
    pattern: /revoked/i,
    code: "verify/revoked",
    text: (_, judged) => `is signed by ${sshKey(judged)}, which is revoked`,
  },
  {
    pattern: /:(\d+): key is not permitted for use in signature namespace/,
    code: "verify/bad-signature",
    text: ([, line], judged) =>
      `is signed by a key that line ${line} of ${judged.allowedSigners} allows for other uses than git`,
  },
  {
    pattern: /No principal matched/,
    code: "verify/unknown-key",
    text: (_, judged) => `is signed by ${sshKey(judged)}, which is not in ${judged.allowedSigners}`,
  },
]

const GPG_FAULTS: readonly Fault[] = [
  PROGRAM_MISSING,
  {
    pattern: /^\[GNUPG:\] REVKEYSIG ([0-9A-F]+) (.*)$/m,
    code: "verify/revoked",
    text: ([, key, owner]) => `is signed by the GPG key ${key} of ${owner}, which is revoked`,
  },
  {
    pattern: /^\[GNUPG:\] EXPKEYSIG ([0-9A-F]+) (.*)$/m,
    code: "verify/expired",
    text: ([, key, owner]) => `is signed by the GPG key ${key} of ${owner}, which has expired`,
  },
  {
    pattern: /^\[GNUPG:\] EXPSIG ([0-9A-F]+) (.*)$/m,
    code: "verify/expired",
    text: ([, key, owner]) => `has a signature by the GPG key ${key} of ${owner} that has expired`,
  },
  {
    pattern: /^\[GNUPG:\] BADSIG ([0-9A-F]+) (.*)$/m,
    code: "verify/bad-signature",
    text: ([, key, owner]) => `does not fit its signature by the GPG key ${key} of ${owner}`,
  },
  {
    pattern: /^\[GNUPG:\] NO_PUBKEY ([0-9A-F]+)$/m,
    code: "verify/unknown-key",
    text: ([, key], judged) =>
      `is signed by the GPG key ${issuer(judged.said) ?? key}, which is not in ${judged.gpgKeys}`,
  },
]

/** The error for a commit that git does not verify. Pure. */
export function signatureFault(judged: JudgedSignature): HeadraceError {
  const { code, what } = faultOf(judged)
  return new HeadraceError(code, `commit ${judged.commit} ${what}`, {
    hint: `Have it signed by an allowed key, or run approve --unverified --commit ${judged.commit}.`,
    fields: { commit: judged.commit },
  })
}

function faultOf(judged: JudgedSignature): { code: ErrorCode; what: string } {
  const { kind, said } = judged
  if (kind === "none") return { code: "verify/no-signature", what: "has no signature" }
  const missing = missingKeys(judged)
  if (missing !== undefined) return { code: "verify/no-keys", what: missing }
  for (const { pattern, code, text } of kind === "ssh" ? SSH_FAULTS : GPG_FAULTS) {
    const found = pattern.exec(said)
    if (found) return { code, what: text(found, judged) }
  }
  const last = said.trim().split("\n").at(-1) ?? ""
  return {
    code: "verify/bad-signature",
    what: `does not fit its signature${last === "" ? "" : ` (${last})`}`,
  }
}

function missingKeys({ kind, allowedSigners, gpgKeys }: JudgedSignature): string | undefined {
  if (kind === "ssh")
    return allowedSigners === undefined ? "is signed by SSH, and no allowedSigners are set" : undefined
  if (kind === "gpg") return gpgKeys === undefined ? "is signed by GPG, and no gpgKeys are set" : undefined
  return `is signed by ${kind === "x509" ? "X.509" : "a kind of key that git does not name"}, which is not supported`
}

/** As ssh-keygen calls the key that made the signature. */
function sshKey({ said }: JudgedSignature): string {
  const [, kind, print] = /with (\S+) key (SHA256:\S+)/.exec(said) ?? []
  return print === undefined ? "an SSH key" : `the ${kind} key ${print}`
}

/** The fingerprint of the key that made a signature, where gpg knows it: the last field of ERRSIG. */
function issuer(said: string): string | undefined {
  return /^\[GNUPG:\] ERRSIG .* ([0-9A-F]{40,})$/m.exec(said)?.[1]
}

/** Who signed, by what git says of a signature that it has verified. */
export function signerOf(said: string): string {
  const ssh = /^Good "git" signature for (.+) with (\S+) key (SHA256:\S+)$/m.exec(said)
  if (ssh) return `${ssh[1]} (${ssh[3]})`
  const gpg = /^\[GNUPG:\] GOODSIG ([0-9A-F]+) (.*)$/m.exec(said)
  return gpg ? `${gpg[2]} (${gpg[1]})` : "an allowed key"
}
