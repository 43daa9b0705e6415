import { systemClock } from "@headrace/shared/foundation/clock"
import { UsageError } from "@headrace/shared/foundation/errors"
import { type Checkout, openCheckout } from "@headrace/shared/git/open-checkout"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { type LaneResult, laneResult } from "@headrace/shared/lanes/lane-outcome"
import { createLog, type Log } from "@headrace/shared/observe/log"
import type { Plan } from "@headrace/shared/plan/plan"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { settingsFor } from "@headrace/shared/reconcile/open-reconciler"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { attempt, type PlaceResult } from "../for-each-place.ts"
import { clusterNamed } from "../place-options.ts"
import { listPlan, planText } from "../plan/list-plan.ts"
import { contextOfSettings } from "../plan-context-of.ts"
import { printPlaces } from "../print-places.ts"
import { printProblems } from "../print-problems.ts"
import type { ProwOptions } from "../prow-flags.ts"
import { settingsOfProwFlags } from "./prow-settings.ts"

export interface ApplyCheckoutOptions extends ProwOptions {
  /** The operator's file; without one, Prow's flags say where to go. */
  config?: string
  cluster?: string[]
  source?: string[]
  output: "json" | "text"
  logLevel: string
}

/** The record's name when nobody gives another. */
const SOURCE = "prow"

interface Errand {
  settings: OperatorSettings
  source: string
  checkout: Checkout
  log: Log
}

/**
 * Applies a checkout at its HEAD, as Prow's periodic job does: the token is that of HEAD, so it never takes a
 * cluster back behind a plugin that was faster. A shallow or dirty checkout is refused, since it has no token.
 * Gives the exit code: 1 when anything was not written, or the rules have a mistake.
 */
export async function runApplyCheckout(options: ApplyCheckoutOptions, signal: AbortSignal): Promise<number> {
  const folder = onlyFolder(options.sourcePath ?? [])
  const { settings, source } = await settingsOf(options, folder)
  const log = createLog("bootstrapper", { level: options.logLevel, destination: process.stderr })
  const checkout = await openCheckout(folder)
  try {
    const errand = { settings, source, checkout, log }
    const { plan, errors } = await planCheckout(errand, signal)
    if (options.dryRun) {
      const listed = listPlan(plan)
      process.stdout.write(
        options.output === "json" ? `${JSON.stringify(listed, undefined, 2)}\n` : planText(listed),
      )
      process.stderr.write("dry run: nothing was written; give --dry-run=false to write\n")
      return errors > 0 ? 1 : 0
    }
    const clusters = options.cluster ?? clustersToApply(options, settings, plan)
    const results = await Promise.all(clusters.map((cluster) => applyTo(cluster, errand, signal)))
    const code = printPlaces(results, options.output, resultText)
    const behind = results.some(
      (one) => one.ok && (one.result.error !== null || one.result.failed.length > 0),
    )
    return errors > 0 || behind ? 1 : code
  } finally {
    await checkout.close()
  }
}

function onlyFolder(folders: readonly string[]): string {
  const [folder, ...more] = folders
  if (folder !== undefined && more.length === 0) return folder
  throw new UsageError(
    "apply/source-paths",
    "--source-path takes one checkout: a token is that of one history",
    {
      hint: "Run it once for each, with --source naming them apart.",
    },
  )
}

async function settingsOf(
  options: ApplyCheckoutOptions,
  folder: string,
): Promise<{ settings: OperatorSettings; source: string }> {
  if (options.config === undefined) {
    const source = options.source?.[0] ?? SOURCE
    return { settings: await settingsOfProwFlags(options, folder, source), source }
  }
  const settings = await loadOperatorSettings(options.config)
  const names = options.source ?? Object.keys(settings.sources)
  const [source] = names
  if (source !== undefined && names.length === 1 && typeof settings.sources[source]?.rules === "string") {
    return { settings, source }
  }
  throw new UsageError(
    "apply/which-source",
    "--source-path needs to know which source of the settings it is",
    {
      hint: "Give --source NAME, of a source whose rules are in it.",
    },
  )
}

/** What the checkout asks for everywhere, and how many errors were told. Throws `rules/invalid`. */
async function planCheckout(
  { settings, source, checkout }: Errand,
  signal: AbortSignal,
): Promise<{ plan: Plan; errors: number }> {
  const { commit } = await checkout.fetch(signal)
  const { rulesPath, repo } = settingsFor(settings, "", source)
  const text = await checkout.file(commit, rulesPath, signal)
  const parsed = parseRules(text?.toString("utf8") ?? "", rulesPath)
  if (parsed.rules === undefined) {
    printProblems(parsed.problems)
    throw new UsageError("rules/invalid", `the rules ${rulesPath} have mistakes`)
  }
  const plan = planTargets(
    parsed.rules,
    await checkout.tree(commit, signal),
    contextOfSettings(settings, repo),
  )
  return { plan, errors: printProblems([...parsed.problems, ...plan.problems]) }
}

/** The operator's clusters; of Prow's flags, which may bring many contexts, those that the rules name. */
function clustersToApply(options: ApplyCheckoutOptions, settings: OperatorSettings, plan: Plan): string[] {
  const known = Object.keys(settings.clusters)
  if (options.config !== undefined) return known
  const named = new Set(plan.targets.map(({ target }) => target.cluster))
  return known.filter((cluster) => named.has(cluster))
}

async function applyTo(
  cluster: string,
  { settings, source, checkout, log }: Errand,
  signal: AbortSignal,
): Promise<PlaceResult<LaneResult>> {
  return attempt({ cluster, source }, async () => {
    const kube = await connectCluster(cluster, clusterNamed(settings, cluster), log)
    try {
      const ports = {
        kube,
        repository: checkout,
        rulesRepository: checkout,
        settings: settingsFor(settings, cluster, source),
        clock: systemClock,
        log: log.child({ cluster, source }),
      }
      return laneResult(await reconcile({ cluster, source, mode: "full" }, ports, signal))
    } finally {
      kube.close()
    }
  })
}

function resultText({ result, commit, failed, error }: LaneResult): string {
  const lines = failed.map(({ target, reason }) => `\n  ${target}: ${reason}`)
  const why = error ? `\n  ${error.message} [${error.code}]` : ""
  return `${result} ${commit ?? "(nothing yet)"}${why}${lines.join("")}`
}
