import { chmod, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** A credential plugin in a folder of its own, and what a kubeconfig's user says to run it. */
export interface ExecPlugin {
  user: object
  /** What it prints from now on. */
  answer(text: string): Promise<void>
  /** How often it has run. */
  runs(): Promise<number>
}

/** Makes a plugin that prints what it was configured to (client-go's credential plugins). */
export async function makeExecPlugin(folder: string): Promise<ExecPlugin> {
  const answer = (text: string) => writeFile(join(folder, "answer"), text)
  await answer("")
  await writeFile(join(folder, "runs"), "")
  const script = `#!/bin/sh\necho run >> "${folder}/runs"\nexec cat "${folder}/answer"\n`
  await writeFile(join(folder, "plugin"), script)
  await chmod(join(folder, "plugin"), 0o755)
  return {
    user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin" } },
    answer,
    runs: async () => (await readFile(join(folder, "runs"), "utf8")).split("\n").length - 1,
  }
}

/** What a plugin prints for a token. */
export function tokenAnswer(token: string, expires?: Date): string {
  const status = { token, ...(expires ? { expirationTimestamp: expires } : {}) }
  return JSON.stringify({ kind: "ExecCredential", status })
}
