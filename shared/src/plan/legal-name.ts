const KEY_LIMIT_BYTES = 253
const NAME_LIMIT = 253
const NAMESPACE_LIMIT = 63

/**
 * Why Kubernetes refuses a ConfigMap key; undefined when it takes it (apimachinery's IsConfigMapKey: letters,
 * digits, `-`, `_`, `.`; 253 bytes; not `.`, nor beginning with `..`).
 */
export function illegalKey(key: string): string | undefined {
  if (key === "") return "it is empty"
  if (Buffer.byteLength(key) > KEY_LIMIT_BYTES) return `it is longer than ${KEY_LIMIT_BYTES} bytes`
  const wrong = /[^-._a-zA-Z0-9]/u.exec(key)
  if (wrong) return `it holds ${JSON.stringify(wrong[0])}; letters, digits, "-", "_" and "." are allowed`
  if (key === ".") return 'it is "."'
  return key.startsWith("..") ? 'it begins with ".."' : undefined
}

/** How to fix a ConfigMap's name that Kubernetes refuses (RFC 1123 subdomain); undefined when it takes it. */
export function illegalName(name: string): string | undefined {
  if (name.length > NAME_LIMIT) return `Shorten it to at most ${NAME_LIMIT} characters.`
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)) return undefined
  return 'Use lower-case letters, digits, "-" and ".", with a letter or digit at both ends of each part.'
}

/** How to fix a namespace's name that Kubernetes refuses (RFC 1123 label); undefined when it takes it. */
export function illegalNamespace(namespace: string): string | undefined {
  if (namespace.length > NAMESPACE_LIMIT) return `Shorten it to at most ${NAMESPACE_LIMIT} characters.`
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace)) return undefined
  return 'Use lower-case letters, digits and "-", with a letter or digit at both ends.'
}
