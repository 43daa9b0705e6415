import { spawn } from "node:child_process"
import { join } from "node:path"
import { endChildWithProcess } from "@headrace/config/local/end-with-process"

export interface ReaderReport {
  looks: number
  /** Each distinct (projection, revision, fingerprint). */
  seen: { projection: string; revision: string; fingerprint: string; files: number }[]
  errors: string[]
}

/** Starts a reader process over these cluster folders; `stop` ends it and gives its report. */
export function startReader(folders: readonly string[]): { stop(): Promise<ReaderReport> } {
  const script = join(import.meta.dirname, "reader-process.ts")
  const child = spawn(process.execPath, ["--conditions=source", "--no-warnings", script, ...folders], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  endChildWithProcess(child)
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
  return {
    async stop() {
      child.kill("SIGTERM")
      await ended
      return JSON.parse(output)
    },
  }
}
