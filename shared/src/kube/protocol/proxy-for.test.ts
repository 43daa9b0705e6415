import { describe, expect, it } from "vitest"
import { proxyFor } from "./proxy-for.ts"

const HTTPS_PROXY = "http://proxy.test:3128"

/** Each case: a server, NO_PROXY, whether the proxy is used. They are those of Go's httpproxy and kubectl's users. */
const CASES: readonly [server: string, noProxy: string, proxied: boolean][] = [
  ["https://api.test:6443", "", true],
  ["https://localhost:6443", "", false],
  ["https://127.0.0.7:6443", "", false],
  ["https://[::1]:6443", "", false],
  ["https://api.test", "*", false],
  ["https://api.test", "test", false],
  ["https://api.test", "API.test", false],
  ["https://api.test", "api.test", false],
  ["https://east.api.test", "api.test", false],
  ["https://eastapi.test", "api.test", true],
  ["https://api.test", ".api.test", true],
  ["https://east.api.test", ".api.test", false],
  ["https://east.api.test", "*.api.test", false],
  ["https://api.test", "*.api.test", true],
  ["https://api.test:6443", "api.test:6443", false],
  ["https://api.test:6443", "api.test:443", true],
  ["https://api.test", "api.test:443", false],
  ["https://10.96.0.1", "10.96.0.0/12", false],
  ["https://10.128.0.1", "10.96.0.0/12", true],
  ["https://10.96.0.1:443", "other, 10.96.0.1", false],
  ["https://10.96.0.1:443", "10.96.0.1:6443", true],
  ["https://[fd00::1]:6443", "fd00::/8", false],
  ["https://[fd00::1]:6443", "[fd00::1]:6443", false],
  ["https://[fe80::1]:6443", "fd00::/8", true],
  ["https://api.test", "10.0.0.0/99, nonsense/x", true],
]

describe("proxyFor", () => {
  it.each(CASES)("%s with NO_PROXY=%s is proxied: %s", (server, noProxy, proxied) => {
    const proxy = proxyFor(new URL(server), { HTTPS_PROXY, NO_PROXY: noProxy })
    expect(proxy?.href).toBe(proxied ? `${HTTPS_PROXY}/` : undefined)
  })

  it("takes the variable of the server's scheme, in small letters too, and a proxy without a scheme", () => {
    const server = new URL("https://api.test")
    expect(proxyFor(server, { https_proxy: "proxy.test:8080" })?.href).toBe("http://proxy.test:8080/")
    expect(proxyFor(server, { HTTP_PROXY: "http://proxy.test" })).toBeUndefined()
    expect(proxyFor(new URL("http://api.test"), { HTTP_PROXY: "http://proxy.test" })?.href).toBe(
      "http://proxy.test/",
    )
    expect(proxyFor(server, { HTTPS_PROXY: "", no_proxy: "*" })).toBeUndefined()
    expect(proxyFor(server, { HTTPS_PROXY, no_proxy: "api.test" })).toBeUndefined()
  })

  it.each([
    "http://[bad",
    "proxy.test:99999",
    "http://",
    "ftp://proxy.test",
    "socks4://secret:word@proxy.test",
  ])("refuses %s by name, and keeps it to itself", (proxy) => {
    const bad = () => proxyFor(new URL("https://api.test"), { HTTPS_PROXY: proxy })
    expect(bad).toThrow(expect.objectContaining({ code: "kube/proxy" }))
    expect(bad).toThrow(/^the proxy of HTTPS_PROXY (?!.*word)/)
  })
})
