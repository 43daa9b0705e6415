/**
 * Keeps a login that a key opens, and opens another one when the key's file holds another key: `read` reads it for each
 * login. While it cannot be read the last key counts; without one `read`'s error is thrown.
 */
export function followKeyFile<Login>(
  read: () => Promise<string>,
  open: (key: string) => Login,
): () => Promise<Login> {
  let known: { key: string; login: Login } | undefined
  return async () => {
    const key = await read().catch((error: unknown) => {
      if (known === undefined) throw error
      return known.key
    })
    if (known?.key !== key) known = { key, login: open(key) }
    return known.login
  }
}
