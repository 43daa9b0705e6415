import type { ErrorMeanings } from "../../foundation/errors.ts"

/** The codes of `git/verify`, as docs/reference/errors.md explains them. All of them stop a source. */
export const verifyErrors = {
  "verify/bad-signature": {
    meaning: "A commit's signature does not fit the commit. The source is stopped, with last good in force.",
    cause:
      "The commit was changed after it was signed, the signature is damaged or of an unknown kind, or the key is allowed for another use than git.",
    remedy:
      "Merge a commit that is signed by an allowed key, or run headrace-bootstrapper approve --unverified --commit COMMIT to show this one all the same.",
  },
  "verify/expired": {
    meaning: "A commit is signed by a key that had expired, or was not valid yet. The source is stopped.",
    cause:
      "valid-after or valid-before of the signer in allowedSigners, judged at the committer's time; or a GPG key or signature past its end, judged now.",
    remedy:
      "Put the signer's new key into allowedSigners or gpgKeys; or run headrace-bootstrapper approve --unverified --commit COMMIT.",
  },
  "verify/keys-unreadable": {
    meaning: "The keys that a source's commits are judged by cannot be read. The source is stopped.",
    cause: "A file that is missing, empty, or holds no key; a Secret that is not mounted.",
    remedy: "Correct the file that the message names: it is read again for every commit.",
  },
  "verify/no-keys": {
    meaning: "A commit is signed, by a kind of key of which the source allows none. The source is stopped.",
    cause:
      "A commit signed by GPG where only allowedSigners is set, by SSH where only gpgKeys is, or by X.509.",
    remedy: "Set allowedSigners (SSH) or gpgKeys (GPG) in the source's verify; X.509 is not supported.",
  },
  "verify/no-signature": {
    meaning: "A commit has no signature. The source is stopped, with last good in force.",
    cause: "A push without commit.gpgSign, or a merge made by a service that does not sign.",
    remedy:
      "Merge a signed commit on top (mode tip), or run headrace-bootstrapper approve --unverified --commit COMMIT.",
  },
  "verify/program-missing": {
    meaning: "The program that checks signatures is not installed. The source is stopped.",
    cause: "An image of your own without gpg or ssh-keygen.",
    remedy: "Install gnupg and openssh-client beside git, or use Headrace's image.",
  },
  "verify/revoked": {
    meaning: "A commit is signed by a key that its owner has revoked. The source is stopped.",
    cause: "The key was lost or stolen: look at who made the commit.",
    remedy: "Have the commit's content reviewed and signed again by a key that is in use.",
  },
  "verify/unknown-key": {
    meaning: "A commit is signed by a key that is not allowed. The source is stopped.",
    cause: "A new colleague, a new key, or a key that was removed from allowedSigners or gpgKeys.",
    remedy:
      "Add the key where the message says, if its owner may change this source; or run headrace-bootstrapper approve --unverified --commit COMMIT.",
  },
  "verify/wrong-principal": {
    meaning: "A commit is signed by a certificate whose authority is allowed, for nobody that is allowed.",
    cause:
      "The certificate's principals match no pattern of its authority's line in allowedSigners, or it has expired.",
    remedy: "Have the certificate issued for the right principal, or extend the pattern in allowedSigners.",
  },
} as const satisfies ErrorMeanings

declare module "../../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof verifyErrors, unknown> {}
}
