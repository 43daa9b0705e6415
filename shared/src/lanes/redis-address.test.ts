import { describe, expect, it } from "vitest"
import { parseRedisUrl, redisAddressText } from "./redis-address.ts"

describe("parseRedisUrl", () => {
  it("reads host, port, database and percent-encoded credentials", () => {
    const address = parseRedisUrl("redis://headrace:p%40ss%2F@redis.example:7000/3")

    expect(address).toMatchObject({
      kind: "single",
      nodes: [{ host: "redis.example", port: 7000 }],
      username: "headrace",
      password: "p@ss/",
      database: 3,
      tls: undefined,
    })
  })

  it("reads a password without a user, and an IPv6 host", () => {
    const address = parseRedisUrl("redis://:secret@[::1]:6380")

    expect(address).toMatchObject({ username: undefined, password: "secret", database: 0 })
    expect(redisAddressText(address)).toBe("::1:6380")
  })

  it("reads TLS files", () => {
    expect(parseRedisUrl("rediss://h/0?ca=/tls/ca.crt&servername=redis").tls).toEqual({
      ca: "/tls/ca.crt",
      servername: "redis",
    })
  })

  it("reads sentinels with their master, and clusters", () => {
    expect(parseRedisUrl("redis+sentinel://:pw@a:1,b:2/main/4?sentinel-password=x")).toMatchObject({
      kind: "sentinel",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      master: "main",
      database: 4,
      sentinelPassword: "x",
    })
    expect(parseRedisUrl("rediss+cluster://a:1,b").nodes).toEqual([
      { host: "a", port: 1 },
      { host: "b", port: 6379 },
    ])
  })

  it.each([
    ["http://h", "does not read"],
    ["redis://h:1,h:2", "several hosts"],
    ["redis+sentinel://h:1", "master's name"],
    ["redis+cluster://h:1/2", "database 0 alone"],
    ["redis://h/two", "not a number"],
    ["redis://h?ca=/x", "needs rediss"],
    ["redis://h?tls=yes", "unknown parameter"],
    ["redis://us:hunter2@h:port", "HOST[:PORT]"],
  ])("refuses %s without repeating it", (url, why) => {
    expect(() => parseRedisUrl(url)).toThrow(why)
    expect(() => parseRedisUrl(url)).not.toThrow("hunter2")
  })
})
