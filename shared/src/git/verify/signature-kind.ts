/** How a commit is signed; git(1), gitformat-signature(5). `x509` and `other` are never believed here. */
export type SignatureKind = "ssh" | "gpg" | "x509" | "other" | "none"

const MARKS: readonly (readonly [RegExp, SignatureKind])[] = [
  [/-----BEGIN SSH SIGNATURE-----/, "ssh"],
  [/-----BEGIN PGP (SIGNATURE|MESSAGE)-----/, "gpg"],
  [/-----BEGIN SIGNED MESSAGE-----/, "x509"],
]

/**
 * The kind of signature that a commit object names in its headers, for messages: git itself reads the signature when
 * it verifies. A repository with SHA-256 has it in `gpgsig-sha256`.
 */
export function signatureKind(content: Buffer): SignatureKind {
  const text = content.toString("latin1")
  const end = text.indexOf("\n\n")
  const headers = end < 0 ? text : text.slice(0, end)
  const [, first] = /^gpgsig(?:-sha256)? (.*)$/m.exec(headers) ?? []
  if (first === undefined) return "none"
  return MARKS.find(([mark]) => mark.test(first))?.[1] ?? "other"
}
