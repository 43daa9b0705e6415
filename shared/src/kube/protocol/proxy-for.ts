import { BlockList, isIP } from "node:net"
import { UsageError } from "../../foundation/errors.ts"

const DEFAULT_PORTS: Record<string, string> = { "http:": "80", "https:": "443" }
/** Schemes of proxies that kubectl knows: kubeconfig(5), proxy-url. */
const SCHEMES = /^(https?|socks5h?):$/
const IP_FAMILIES = { 4: "ipv4", 6: "ipv6" } as const

/**
 * The proxy by which kubectl would reach this server: HTTPS_PROXY or HTTP_PROXY by the server's scheme, in capitals or
 * not, unless NO_PROXY excludes the server. Undefined: none.
 *
 * As Go's golang.org/x/net/http/httpproxy: a loopback address is never proxied; an entry of NO_PROXY is `*`, an address,
 * a CIDR, or a domain, which covers its subdomains, too, and alone for them when it begins with a dot or `*.`; each
 * but a CIDR may have a port. Node's own reading of NO_PROXY knows no CIDR, which clusters have there.
 *
 * Throws UsageError `kube/proxy` for one that cannot be a proxy: to go without it would fail for another reason.
 */
export function proxyFor(server: URL, environment: NodeJS.ProcessEnv = process.env): URL | undefined {
  const name = server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY"
  const named = variable(environment, name)
  if (named === undefined || isExcluded(server, variable(environment, "NO_PROXY") ?? "")) return undefined
  return parseProxy(named, name)
}

/**
 * A proxy as the variables and kubeconfigs name it: without a scheme it is an HTTP proxy. `where` names what says so. Throws
 * UsageError `kube/proxy`, without the text, since that may hold a password.
 */
export function parseProxy(text: string, where: string): URL {
  const proxy = URL.parse(/^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`)
  if (proxy && SCHEMES.test(proxy.protocol)) return proxy
  const why = proxy ? `has the scheme ${proxy.protocol.replace(":", "")}, which no proxy has` : "is no URL"
  throw new UsageError("kube/proxy", `the proxy of ${where} ${why}`, {
    hint: "Write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.",
  })
}

function variable(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  return environment[name] || environment[name.toLowerCase()] || undefined
}

function isExcluded(server: URL, noProxy: string): boolean {
  const host = server.hostname.replace(/^\[|\]$/g, "").toLowerCase()
  const port = server.port || (DEFAULT_PORTS[server.protocol] ?? "")
  if (host === "localhost" || isLoopback(host)) return true
  return noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && excludes(entry, host, port))
}

function isLoopback(host: string): boolean {
  return contains("127.0.0.0/8", host) || contains("::1/128", host)
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true
  if (entry.includes("/")) return contains(entry, host)
  const [, name = entry, wantedPort] =
    /^\[([^\]]+)\](?::(\d+))?$/.exec(entry) ?? /^([^:]+):(\d+)$/.exec(entry) ?? []
  if (wantedPort !== undefined && wantedPort !== port) return false
  if (isIP(name) !== 0) return isIP(host) !== 0 && contains(`${name}/${isIP(name) === 4 ? 32 : 128}`, host)
  const domain = name.replace(/^\*\./, ".")
  if (domain.startsWith(".")) return host.endsWith(domain)
  return host === domain || host.endsWith(`.${domain}`)
}

/** True when this is a CIDR and the host an address in it. */
function contains(cidr: string, host: string): boolean {
  const [network = "", bits = ""] = cidr.split("/")
  const family = IP_FAMILIES[isIP(network) as 4 | 6]
  if (family === undefined || IP_FAMILIES[isIP(host) as 4 | 6] !== family || !/^\d{1,3}$/.test(bits))
    return false
  if (Number(bits) > (family === "ipv4" ? 32 : 128)) return false
  const list = new BlockList()
  list.addSubnet(network, Number(bits), family)
  return list.check(host, family)
}
