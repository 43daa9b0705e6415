import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect } from "vitest"
import { programArguments, sourceArguments } from "./program-arguments.ts"
import { logLines, type MarkedRun, runMarked } from "./run-marked.ts"

/** A real `headrace-agent` with its HTTP server. */
export interface AgentProcess extends MarkedRun {
  url: string
  /** Status and text of a path of its HTTP server. */
  ask(path: string): Promise<{ status: number; text: string }>
  /** Its log, parsed. */
  log(): Record<string, unknown>[]
}

export interface AgentProcessOptions {
  folder: string
  kubeconfigFile: string
  /** The agent's file without version, record, kubeconfig and listen. */
  settings: string
  /** What comes before the program on node's command line. */
  nodeArgs?: readonly string[]
  env?: Record<string, string>
  /** Run the sources even where there are bundles, for a test that looks at modules. */
  fromSource?: boolean
}

/** Runs a real agent while `use` works with it, and ends it by SIGTERM, which has to end it with 0. */
export async function withAgentProcess<T>(
  options: AgentProcessOptions,
  use: (agent: AgentProcess) => Promise<T>,
): Promise<T> {
  const config = join(options.folder, "agent.yaml")
  const head = `version: 1\nrecord: headrace/release\nkubeconfig: ${options.kubeconfigFile}\nlisten: 127.0.0.1:0\n`
  await writeFile(config, head + options.settings)
  const run = runAgentProgram(["--config", config], options)
  const log = () => logLines(run.output())
  try {
    await expect.poll(() => run.errors() || log().some(({ msg }) => msg === "agent started")).toBe(true)
    const url = String(log().find(({ msg }) => msg === "agent started")?.url)
    async function ask(path: string) {
      const answer = await fetch(url + path)
      return { status: answer.status, text: await answer.text() }
    }
    const result = await use({ ...run, url, log, ask })
    run.child.kill("SIGTERM")
    expect(await run.ended).toBe(0)
    return result
  } finally {
    run.child.kill("SIGKILL")
    await run.ended
  }
}

/** Starts `headrace-agent` with these arguments. */
export function runAgentProgram(
  args: readonly string[],
  options: Pick<AgentProcessOptions, "nodeArgs" | "env" | "fromSource"> = {},
): MarkedRun {
  const { nodeArgs = [], fromSource } = options
  const program = fromSource ? sourceArguments("agent") : programArguments("agent")
  return runMarked([...nodeArgs, ...program, ...args], options.env)
}
