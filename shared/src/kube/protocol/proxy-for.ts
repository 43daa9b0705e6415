import { BlockList, isIP } from "node:net"

const DEFAULT_PORTS: Record<string, string> = { "http:": "80", "https:": "443" }
const IP_FAMILIES = { 4: "ipv4", 6: "ipv6" } as const

/**
 * The proxy by which kubectl would reach this server: HTTPS_PROXY or HTTP_PROXY by the server's scheme, in capitals or
 * not, unless NO_PROXY excludes the server. Undefined: none.
 *
 * As Go's golang.org/x/net/http/httpproxy: a loopback address is never proxied; an entry of NO_PROXY is `*`, an address,
 * a CIDR, or a domain, which covers its subdomains, too, and alone for them when it begins with a dot or `*.`; each
 * but a CIDR may have a port. Node's own reading of NO_PROXY knows no CIDR, which clusters have there.
 */
export function proxyFor(server: URL, environment: NodeJS.ProcessEnv = process.env): URL | undefined {
  const named = variable(environment, server.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY")
  if (named === undefined || isExcluded(server, variable(environment, "NO_PROXY") ?? "")) return undefined
  return parseProxy(named)
}

/** A proxy as the variables and kubeconfigs name it: without a scheme it is an HTTP proxy. Undefined: not a URL. */
export function parseProxy(text: string): URL | undefined {
  return URL.parse(/^[a-z0-9]+:\/\//i.test(text) ? text : `http://${text}`) ?? undefined
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
