import { Agent as HttpAgent } from "node:http"
import { Agent as HttpsAgent } from "node:https"
import { proxyFor } from "@headrace/shared/kube/protocol/proxy-for"

/**
 * What sends one request through the proxy that HTTPS_PROXY or HTTP_PROXY names for this URL; undefined: no proxy is
 * named for it. Throws UsageError `kube/proxy` for a proxy that cannot be one, TypeError for no URL.
 */
export function proxyAgent(url: string): HttpAgent | undefined {
  const server = new URL(url)
  const proxy = proxyFor(server)
  if (proxy === undefined) return undefined
  // Which one is used was judged before, so nothing is excluded here.
  return server.protocol === "https:"
    ? new HttpsAgent({ proxyEnv: { HTTPS_PROXY: proxy.href } })
    : new HttpAgent({ proxyEnv: { HTTP_PROXY: proxy.href } })
}
