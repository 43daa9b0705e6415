#!/usr/bin/env node
import { existsSync } from "node:fs"
import { basename, isAbsolute, resolve } from "node:path"
import { systemClock } from "@headrace/shared/foundation/clock"
import { errorText } from "@headrace/shared/foundation/errors"
import { runProgram } from "@headrace/shared/foundation/run-program"
import { Command } from "commander"
import pc from "picocolors"
import { clusterTroubles } from "./cluster-troubles.ts"
import { type LocalPipeline, startLocal } from "./start-local.ts"

interface UpFlags {
  repo: string
  branch: string
  rules: string
  target: string
  poll: string
  port: string
  repository?: string
}

await runProgram(async (signal) => {
  const flags = new Command("up")
    .description("Runs the whole pipeline on this machine, on your own repository, until it is stopped.")
    .requiredOption("--repo <path-or-url>", "the repository to follow")
    .requiredOption("--branch <name>", "the branch to follow")
    .requiredOption("--rules <path>", "path of the rules (Prow's plugins.yaml) in the repository")
    .requiredOption("--target <folder>", "folder that gets CLUSTER/NAMESPACE/CONFIGMAP/KEY")
    .option("--poll <seconds>", "how often to look at the branch without a webhook", "5")
    .option("--port <number>", "port of the webhook endpoint; 0 picks one", "0")
    .option("--repository <org/name>", "what webhooks call the repository (else taken from --repo)")
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse()
    .opts<UpFlags>()
  const poll = Number(flags.poll)
  const port = Number(flags.port)
  if (!(poll > 0) || !Number.isInteger(port) || port < 0 || port > 65_535) {
    process.stderr.write("error: --poll takes seconds above 0, --port a number from 0 to 65535\n")
    return 2
  }

  const repo = existsSync(flags.repo) ? resolve(flags.repo) : flags.repo
  say(pc.dim("starting redis, API servers, plugin and agents on loopback…"))
  const pipeline = await startLocal({
    repo,
    branch: flags.branch,
    rules: flags.rules,
    target: resolve(flags.target),
    pollSeconds: poll,
    port,
    repository: flags.repository ?? repositoryName(repo),
    signal,
  })
  try {
    await pipeline.waitForProjection()
    describe(pipeline, resolve(flags.target))
    await followClusters(pipeline, poll, signal)
  } finally {
    say(pc.dim("stopping…"))
    await pipeline.close()
  }
  return 0
})

/** New rules may name new clusters, and what is merged may not be writable: looks for both until stopped. */
async function followClusters(pipeline: LocalPipeline, poll: number, signal: AbortSignal): Promise<void> {
  let told: string[] = []
  while (!signal.aborted) {
    await systemClock.sleep(poll * 1000, signal).catch(() => undefined)
    if (signal.aborted) return
    const now = await pipeline.addNewClusters().then(
      () => clusterTroubles(pipeline.clusters.values()),
      (error: unknown) => [errorText(error)],
    )
    for (const trouble of now) if (!told.includes(trouble)) say(pc.yellow(trouble))
    if (told.length > 0 && now.length === 0) say(pc.green("all is fine again"))
    told = now
  }
}

function describe(pipeline: LocalPipeline, target: string): void {
  const [hook] = pipeline.hooks
  say(`${pc.green("up")}: ${target} shows the branch; commit to it and watch`)
  for (const cluster of pipeline.clusters.values())
    say(`  ${cluster.folder}   API server ${cluster.kube.url}`)
  if (hook) {
    say(
      `  webhooks   ${hook.url}   repository ${hook.repository}, secret in ${pipeline.stateFolder}/webhook-secret`,
    )
  }
  say(`  settings   ${pipeline.operatorSettingsFile}   logs ${pipeline.stateFolder}/logs`)
  say("  stop with Ctrl-C")
}

/** ORG/NAME from a URL's last two parts; a local path is `local/NAME`. */
function repositoryName(repo: string): string {
  const name = basename(repo).replace(/\.git$/, "")
  if (isAbsolute(repo)) return `local/${name}`
  const org = repo.replace(/\/?[^/]*$/, "").match(/([^/:]+)$/)?.[1]
  return `${org ?? "local"}/${name}`
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
