import { createHmac, randomUUID } from "node:crypto"
import { freePort } from "@headrace/config/local/free-port"
import { expect } from "vitest"
import { programArguments } from "./program-arguments.ts"
import { logLines, type MarkedRun, runMarked } from "./run-marked.ts"
import { until } from "./until.ts"

/** On a machine with a dozen times the work that it can do. */
const START_LIMIT_MS = 150_000

/** A real `headrace-plugin`. */
export interface PluginProcess {
  url: string
  run: MarkedRun
  /** Its log, parsed. */
  log(): Record<string, unknown>[]
  /** The text of its metrics. */
  metrics(): Promise<string>
  /** Sends an event as Prow's hook sends on what GitHub sent: body and headers as they came, but for the agent. */
  forward(path: string, secret: string, event: string, payload: unknown): Promise<number>
}

/** Runs a real plugin while `use` works with it, and ends it by SIGTERM, which has to end it with 0. */
export async function withPluginProcess<T>(
  config: string,
  use: (plugin: PluginProcess) => Promise<T>,
): Promise<T> {
  const listen = `127.0.0.1:${await freePort()}`
  const url = `http://${listen}`
  const run = runMarked([...programArguments("plugin"), "--config", config, "--listen", listen])
  try {
    await until(async () => run.child.exitCode !== null || (await isReady(url)), START_LIMIT_MS)
    expect(run.child.exitCode, run.output()).toBeNull()
    const result = await use({
      url,
      run,
      log: () => logLines(run.output()),
      metrics: async () => (await fetch(`${url}/metrics`)).text(),
      forward: (path, secret, event, payload) => forward(`${url}${path}`, secret, event, payload),
    })
    run.child.kill("SIGTERM")
    expect(await run.ended, run.output()).toBe(0)
    return result
  } finally {
    run.child.kill("SIGKILL")
    await run.ended
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  )
}

async function forward(url: string, secret: string, event: string, payload: unknown): Promise<number> {
  const body = JSON.stringify(payload)
  const signed = (algorithm: string) => createHmac(algorithm, secret).update(body).digest("hex")
  const response = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "ProwHook",
      "x-github-event": event,
      "x-github-delivery": randomUUID(),
      "x-github-hook-id": "1",
      "x-github-hook-installation-target-type": "repository",
      "x-hub-signature": `sha1=${signed("sha1")}`,
      "x-hub-signature-256": `sha256=${signed("sha256")}`,
    },
  })
  await response.text()
  return response.status
}
