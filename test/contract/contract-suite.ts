import { randomBytes } from "node:crypto"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import type { ConfigMapWriter } from "@headrace/shared/kube/config-map-api"
import { afterAll, beforeAll, describe } from "vitest"
import { realKubeMissing } from "../harness/real-kube.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { rawRequest } from "./raw-request.ts"
import { openEmbedded, openReal, type Server } from "./subjects.ts"

/** What a test of the contract has at hand. */
export interface Contract {
  server: Server
  /** A namespace of its own. */
  namespace(): Promise<string>
}

/**
 * Runs a suite against the embedded server and, where there is one, the real kube-apiserver: what holds for
 * one must hold for the other, so that the small one cannot drift.
 */
export function contract(name: string, suite: (given: () => Contract) => void): void {
  describe(`${name}, embedded server`, () => runAgainst(openEmbedded, suite))
  const missing = realKubeMissing()
  if (missing) process.stdout.write(`${name}: ${missing}\n`)
  describe.skipIf(missing)(`${name}, real kube-apiserver${whySkipped(missing)}`, () =>
    runAgainst(openReal, suite),
  )
}

/** Runs a suite over both clients as well, and over the one without a server in between. */
export function clientContract(
  name: string,
  suite: (client: () => ConfigMapWriter, given: () => Contract) => void,
): void {
  contract(name, (given) => {
    describe("client-node adapter", () => suite(() => given().server.adapter, given))
    describe("light client", () => suite(() => given().server.light, given))
  })
  describe(`${name}, in process`, () => {
    runAgainst(openEmbedded, (given) => suite(() => given().server.inProcess ?? given().server.light, given))
  })
}

/** A ConfigMap to create. */
export function configMap(namespace: string, name: string, data: Record<string, string> = {}): ConfigMap {
  return { metadata: { namespace, name }, data }
}

/** The code of the error that a call must fail with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error)
  }
  return "no error"
}

function runAgainst(open: () => Promise<Server>, suite: (given: () => Contract) => void): void {
  let server: Server | undefined
  beforeAll(async () => {
    server = await open()
  }, 120_000)
  afterAll(() => server?.close())
  suite(() => {
    const opened = server
    if (!opened) throw new Error("the server has not started")
    return { server: opened, namespace: () => createNamespace(opened) }
  })
}

async function createNamespace(server: Server): Promise<string> {
  const name = `t-${randomBytes(5).toString("hex")}`
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } }
  const answer = await rawRequest(server, "POST", "/api/v1/namespaces", body)
  if (answer.status !== 201) throw new Error(`namespace ${name}: ${JSON.stringify(answer.body)}`)
  return name
}
