import type { KubeConfig, User } from "@kubernetes/client-node"
import type { Credential } from "../credentials/cluster-access.ts"

/** Names our authenticator to client-node, which asks each of its own whether a user is theirs. */
const OWN = "headrace"

/** Makes a KubeConfig ask `credential` for every request, in place of what its current user has. Gives it back. */
export function authenticateWith(config: KubeConfig, credential: () => Promise<Credential>): KubeConfig {
  const user = config.getCurrentUser()
  const name = user?.name ?? OWN
  const { impersonateUser } = user ?? {}
  const own: User = { name, authProvider: { name: OWN }, ...(impersonateUser ? { impersonateUser } : {}) }
  config.users = [...config.users.filter((one) => one.name !== name), own]
  const context = config.getContextObject(config.getCurrentContext())
  config.contexts = config.contexts.map((one) => (one === context ? { ...one, user: name } : one))
  config.addAuthenticator({
    isAuthProvider: (one) => one.authProvider?.name === OWN,
    async applyAuthentication(_user, options) {
      const { authorization, cert, key } = await credential()
      if (authorization) options.headers = { ...options.headers, Authorization: authorization }
      if (cert) options.cert = cert
      if (key) options.key = key
    },
  })
  return config
}
