import { eventJson } from "@headrace/shared/kube/protocol/event-json"
import { expect, it } from "vitest"
import { type Contract, contract } from "./contract-suite.ts"
import { type RawAnswer, rawRequest } from "./raw-request.ts"

const MIB = 1024 * 1024

contract("the API past every client", (given) => {
  type Send = (
    method: string,
    name: string,
    body?: object | string,
    headers?: Record<string, string>,
  ) => Promise<RawAnswer>

  /** Sends to the ConfigMaps, or another resource, of a namespace of its own. */
  async function inNamespace(
    root = "/api/v1",
    resource = "configmaps",
  ): Promise<Send & { namespace: string }> {
    const { server, namespace: create }: Contract = given()
    const namespace = await create()
    const send: Send = (method, name, body, headers) =>
      rawRequest(server, method, `${root}/namespaces/${namespace}/${resource}${name}`, body, headers)
    return Object.assign(send, { namespace })
  }

  function outcome(answer: RawAnswer): string {
    return [answer.status, answer.reason, ...answer.causes].filter(Boolean).join(" ")
  }

  it("overwrites a ConfigMap without a version, or with version 0", async () => {
    const send = await inNamespace()
    await send("POST", "", { metadata: { name: "x" }, data: { a: "1" } })
    expect(outcome(await send("PUT", "/x", { metadata: { name: "x" }, data: { a: "2" } }))).toBe("200")
    const zero = await send("PUT", "/x", { metadata: { name: "x", resourceVersion: "0" }, data: { a: "3" } })
    expect(outcome(zero)).toBe("200")
    expect((await send("GET", "/x")).body.data).toEqual({ a: "3" })
  })

  it("counts one version for every change, none for a write without one", async () => {
    const send = await inNamespace()
    const first = await send("POST", "", { metadata: { name: "x" }, data: { a: "1" } })
    const same = await send("PUT", "/x", { metadata: { name: "x" }, data: { a: "1" } })
    expect(same.body.metadata).toEqual(first.body.metadata)
  })

  it.each([
    ["POST", "", { metadata: { name: "x", resourceVersion: "5" } }, "500"],
    ["POST", "", { metadata: { name: "" } }, "422 Invalid FieldValueRequired metadata.name"],
    ["POST", "", { metadata: { name: "A_b" } }, "422 Invalid FieldValueInvalid metadata.name"],
    ["POST", "", { metadata: { name: "x".repeat(254) } }, "422 Invalid FieldValueInvalid metadata.name"],
    ["POST", "", { metadata: { name: "x", namespace: "other" } }, "400 BadRequest"],
    ["POST", "", { kind: "Secret", apiVersion: "v1", metadata: { name: "x" } }, "400 BadRequest"],
    ["POST", "", { metadata: { name: "x" }, data: { a: 5 } }, "400 BadRequest"],
    ["POST", "", { metadata: { name: "x" }, binaryData: { a: "***" } }, "400 BadRequest"],
    ["POST", "", { metadata: { name: "x", labels: { a: 5 } } }, "400 BadRequest"],
    ["POST", "", '{"a":', "400 BadRequest"],
    ["POST", "", "[]", "400 BadRequest"],
    ["GET", "/none", undefined, "404 NotFound"],
    ["PUT", "/none", { metadata: { name: "none" } }, "404 NotFound"],
    ["PUT", "/none", { metadata: { name: "other" } }, "400 BadRequest"],
    ["DELETE", "/none", undefined, "404 NotFound"],
    ["POST", "/none", {}, "405 MethodNotAllowed"],
    ["PATCH", "", {}, "405 MethodNotAllowed"],
    ["GET", "?labelSelector=a+b+c", undefined, "400 BadRequest"],
    ["GET", "?fieldSelector=data.a%3Db", undefined, "400 BadRequest"],
    ["GET", "?fieldSelector=junk", undefined, "400 BadRequest"],
    ["GET", "?watch=true&resourceVersion=abc", undefined, "500"],
  ])("answers %s %s with %j by %s", async (method, name, body, expected) => {
    const send = await inNamespace()
    expect(outcome(await send(method, name, body))).toBe(expected)
  })

  it.each([
    ["a b", "FieldValueInvalid data[a b]"],
    ["", "FieldValueInvalid data[]"],
    [".", "FieldValueInvalid data[.]"],
    ["..", "FieldValueInvalid data[..]"],
    ["..x", "FieldValueInvalid data[..x]"],
    ["ä", "FieldValueInvalid data[ä]"],
    ["x".repeat(254), `FieldValueInvalid data[${"x".repeat(254)}]`],
  ])("refuses the key %j", async (key, cause) => {
    const send = await inNamespace()
    expect(outcome(await send("POST", "", { metadata: { name: "x" }, data: { [key]: "1" } }))).toBe(
      `422 Invalid ${cause}`,
    )
  })

  it.each([".x", "-", "x..y", "A_b.c", "x".repeat(253)])("takes the key %j", async (key) => {
    const send = await inNamespace()
    expect(outcome(await send("POST", "", { metadata: { name: "x" }, data: { [key]: "1" } }))).toBe("201")
  })

  it("refuses one key in both maps", async () => {
    const send = await inNamespace()
    const body = { metadata: { name: "x" }, data: { a: "1" }, binaryData: { a: "YQ==" } }
    expect(outcome(await send("POST", "", body))).toBe("422 Invalid FieldValueInvalid data[a]")
  })

  it("takes exactly 1 MiB of values, text and decoded binary together, and not one byte more", async () => {
    const send = await inNamespace()
    const binary = (bytes: number): string => Buffer.alloc(bytes, 1).toString("base64")
    const cases: [string, object, string][] = [
      ["text", { data: { a: "x".repeat(MIB) } }, "201"],
      ["utf8", { data: { a: "ä".repeat(MIB / 2) } }, "201"],
      ["binary", { binaryData: { a: binary(MIB) } }, "201"],
      ["both", { data: { a: "x".repeat(MIB - 5) }, binaryData: { b: binary(5) } }, "201"],
      ["text-over", { data: { a: "x".repeat(MIB + 1) } }, "422 Invalid FieldValueTooLong []"],
      ["utf8-over", { data: { a: "ä".repeat(MIB / 2), b: "x" } }, "422 Invalid FieldValueTooLong []"],
      ["binary-over", { binaryData: { a: binary(MIB + 1) } }, "422 Invalid FieldValueTooLong []"],
      [
        "both-over",
        { data: { a: "x".repeat(MIB - 5) }, binaryData: { b: binary(6) } },
        "422 Invalid FieldValueTooLong []",
      ],
    ]
    for (const [name, content, expected] of cases) {
      expect([name, outcome(await send("POST", "", { metadata: { name }, ...content }))]).toEqual([
        name,
        expected,
      ])
    }
  })

  it("takes a request of 3 MiB and not one byte more", async () => {
    const send = await inNamespace()
    const frame = JSON.stringify({ metadata: { name: "x" }, data: { a: "" } })
    const padded = (bytes: number): string => frame.replace('""', `"${"x".repeat(bytes - frame.length)}"`)
    expect(outcome(await send("POST", "", padded(3 * MIB)))).toBe("422 Invalid FieldValueTooLong []")
    expect(outcome(await send("POST", "", padded(3 * MIB + 1)))).toBe("413 RequestEntityTooLarge")
  })

  it("takes 256 KiB of annotations, keys counted, and not one byte more", async () => {
    const send = await inNamespace()
    const body = (bytes: number): object => ({
      metadata: { name: "x", annotations: { a: "x".repeat(bytes - 1) } },
    })
    expect(outcome(await send("POST", "", body(256 * 1024 + 1)))).toBe(
      "422 Invalid FieldValueTooLong metadata.annotations",
    )
    expect(outcome(await send("POST", "", body(256 * 1024)))).toBe("201")
  })

  it.each([
    [{ labels: { a: "x".repeat(64) } }, "labels"],
    [{ labels: { "-b": "c" } }, "labels"],
    [{ labels: { c: "a b" } }, "labels"],
    [{ labels: { "UP.case/c": "a" } }, "labels"],
    [{ annotations: { "a b": "x" } }, "annotations"],
  ])("refuses metadata %j", async (metadata, field) => {
    const send = await inNamespace()
    const answer = await send("POST", "", { metadata: { name: "x", ...metadata } })
    expect(outcome(answer)).toBe(`422 Invalid FieldValueInvalid metadata.${field}`)
  })

  it("lets nothing change the data of an immutable ConfigMap, but its labels", async () => {
    const send = await inNamespace()
    const body = { metadata: { name: "x" }, data: { a: "1" }, immutable: true }
    await send("POST", "", body)
    const changes: [object, string][] = [
      [{ ...body, data: { a: "2" } }, "422 Invalid FieldValueForbidden data"],
      [{ ...body, binaryData: { b: "YQ==" } }, "422 Invalid FieldValueForbidden binaryData"],
      [{ ...body, immutable: false }, "422 Invalid FieldValueForbidden immutable"],
      [{ ...body, metadata: { name: "x", labels: { l: "1" } } }, "200"],
    ]
    for (const [change, expected] of changes) expect(outcome(await send("PUT", "/x", change))).toBe(expected)
  })

  it("deletes only what the preconditions say", async () => {
    const send = await inNamespace()
    const created = await send("POST", "", { metadata: { name: "x" } })
    const { uid, resourceVersion } = created.body.metadata as { uid: string; resourceVersion: string }
    const remove = (preconditions: object): Promise<RawAnswer> => send("DELETE", "/x", { preconditions })
    expect(outcome(await remove({ resourceVersion: "1" }))).toBe("409 Conflict")
    expect(outcome(await remove({ uid: "other" }))).toBe("409 Conflict")
    expect(outcome(await remove({ uid, resourceVersion }))).toBe("200")
  })

  it("refuses a PUT with the uid of an object gone by", async () => {
    const send = await inNamespace()
    await send("POST", "", { metadata: { name: "x" } })
    expect(outcome(await send("PUT", "/x", { metadata: { name: "x", uid: "other" } }))).toBe("409 Conflict")
  })

  it("merges a patch, with a version as its condition", async () => {
    const send = await inNamespace()
    await send("POST", "", { metadata: { name: "x" }, data: { a: "1", b: "2" } })
    const type = { "content-type": "application/merge-patch+json" }
    const merged = await send("PATCH", "/x", { data: { a: null, c: "3" } }, type)
    expect(merged.body.data).toEqual({ b: "2", c: "3" })
    const stale = { metadata: { resourceVersion: "1" }, data: { d: "4" } }
    expect(outcome(await send("PATCH", "/x", stale, type))).toBe("409 Conflict")
  })

  it("takes JSON alone, and ignores fields it does not know", async () => {
    const send = await inNamespace()
    const body = { metadata: { name: "x" }, foo: 1 }
    expect(outcome(await send("POST", "", body, { "content-type": "text/plain" }))).toBe(
      "415 UnsupportedMediaType",
    )
    expect(outcome(await send("POST", "", body))).toBe("201")
    expect((await send("GET", "/x")).body).not.toHaveProperty("foo")
  })

  it("distinguishes a bad token from none", async () => {
    const send = await inNamespace()
    expect(outcome(await send("GET", "", undefined, { authorization: "Bearer wrong" }))).toBe(
      "401 Unauthorized",
    )
    expect(outcome(await send("GET", "", undefined, { authorization: "" }))).toBe("403 Forbidden")
  })

  it("wants a version to replace a Lease, makes one that is absent, and checks its times", async () => {
    const send = await inNamespace("/apis/coordination.k8s.io/v1", "leases")
    const lease = (spec: object): object => ({ metadata: { name: "l" }, spec })
    expect(outcome(await send("PUT", "/l", lease({ holderIdentity: "a" })))).toBe("201")
    const again = await send("PUT", "/l", lease({ holderIdentity: "b" }))
    expect(outcome(again)).toBe("422 Invalid FieldValueInvalid metadata.resourceVersion")
    const { resourceVersion } = (await send("GET", "/l")).body.metadata as { resourceVersion: string }
    const swap = {
      metadata: { name: "l", resourceVersion },
      spec: { renewTime: "2026-01-02T03:04:05.000006Z" },
    }
    expect(outcome(await send("PUT", "/l", swap))).toBe("200")
    expect(outcome(await send("PUT", "/l", swap))).toBe("409 Conflict")
    const zero = { metadata: { name: "m" }, spec: { leaseDurationSeconds: 0 } }
    expect(outcome(await send("POST", "", zero))).toBe(
      "422 Invalid FieldValueInvalid spec.leaseDurationSeconds",
    )
    const coarse = { metadata: { name: "m" }, spec: { renewTime: "2026-01-02T03:04:05Z" } }
    expect(outcome(await send("POST", "", coarse))).toBe("400 BadRequest")
  })

  it("takes an Event beside the object that it is about, as the programs write it, and no other", async () => {
    const send = await inNamespace("/api/v1", "events")
    const { namespace } = send
    const about = { metadata: { namespace, name: "release", uid: "u1", resourceVersion: "7" } }
    const event = { type: "Warning", reason: "TargetFailed", message: "full ".repeat(400) } as const
    const posted = await send("POST", "", eventJson(about, event, Date.UTC(2026, 0, 2, 3, 4, 5, 6)))
    expect(posted.status).toBe(201)
    const { name } = posted.body.metadata as { name: string }
    expect((await send("GET", `/${name}`)).body).toMatchObject({
      involvedObject: { kind: "ConfigMap", name: "release", uid: "u1" },
      type: "Warning",
      reason: "TargetFailed",
      count: 1,
      firstTimestamp: "2026-01-02T03:04:05Z",
      source: { component: "headrace" },
    })
    const elsewhere = { metadata: { ...about.metadata, namespace: "default" } }
    const stray = { ...eventJson(elsewhere, event, 0), metadata: { name: "stray" } }
    expect(outcome(await send("POST", "", stray))).toBe(
      "422 Invalid FieldValueInvalid involvedObject.namespace",
    )
  })

  it("lists a namespace that is not there as empty, and writes nothing to it", async () => {
    const { server } = given()
    const path = "/api/v1/namespaces/no-such/configmaps"
    expect((await rawRequest(server, "GET", path)).body.items).toEqual([])
    expect(outcome(await rawRequest(server, "POST", path, { metadata: { name: "x" } }))).toBe("404 NotFound")
    const namespace = { metadata: { name: "with.dot" } }
    const refused = await rawRequest(server, "POST", "/api/v1/namespaces", namespace)
    expect(outcome(refused)).toBe("422 Invalid FieldValueInvalid metadata.name")
  })
})
