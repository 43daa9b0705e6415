import { systemClock } from "@headrace/shared/foundation/clock"
import { UsageError } from "@headrace/shared/foundation/errors"
import { openCommitVerifier } from "@headrace/shared/git/verify/commit-verifier"
import { type LaneResult, laneResult } from "@headrace/shared/lanes/lane-outcome"
import type { Plan } from "@headrace/shared/plan/plan"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { openCluster } from "@headrace/shared/reconcile/open-cluster"
import { settingsFor } from "@headrace/shared/reconcile/open-reconciler"
import { reconcile } from "@headrace/shared/reconcile/reconcile"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { clusterNamed } from "../cli/cluster-source-options.ts"
import { commandLog } from "../cli/command-log.ts"
import { attempt, type ClusterSourceResult } from "../cli/for-each-cluster-source.ts"
import { listPlan, planText } from "../cli/list-plan.ts"
import { contextOfSettings } from "../cli/plan-context.ts"
import { printProblems } from "../cli/print-problems.ts"
import { printResults } from "../cli/print-results.ts"
import { resultText } from "../cli/result-text.ts"
import { type ApplyCheckoutOptions, type ApplyJob, openApplyJob } from "./open-apply-job.ts"

/**
 * Applies a checkout at its HEAD, as Prow's periodic job does: the token is that of HEAD, so it never takes a
 * cluster back behind a plugin that was faster. A shallow or dirty checkout is refused, since it has no token.
 * Gives the exit code: 1 when anything was not written, or the rules have a mistake.
 */
export async function runApplyCheckout(options: ApplyCheckoutOptions, signal: AbortSignal): Promise<number> {
  const log = commandLog(options.logLevel)
  const job = await openApplyJob(options, log)
  const { settings, checkout, rulesCheckout } = job
  try {
    const { plan, errors } = await planCheckout(job, signal)
    if (options.dryRun) {
      const listed = listPlan(plan)
      process.stdout.write(
        options.output === "json" ? `${JSON.stringify(listed, undefined, 2)}\n` : planText(listed),
      )
      process.stderr.write("dry run: nothing was written; give --dry-run=false to write\n")
      return errors > 0 ? 1 : 0
    }
    const clusters = options.cluster ?? clustersToApply(options, settings, plan)
    const results = await Promise.all(clusters.map((cluster) => applyTo(cluster, job, signal)))
    const code = printResults(results, options.output, appliedText)
    const behind = results.some(
      (one) => one.ok && (one.result.error !== null || one.result.failed.length > 0),
    )
    return errors > 0 || behind ? 1 : code
  } finally {
    await Promise.all([checkout.close(), rulesCheckout.close()])
  }
}

/** What the checkout asks for everywhere, and how many errors were reported. Throws `rules/invalid`. */
async function planCheckout(
  { settings, source, clustersFrom, checkout, rulesCheckout }: ApplyJob,
  signal: AbortSignal,
): Promise<{ plan: Plan; errors: number }> {
  const { commit } = await checkout.fetch(signal)
  const { rulesPath, repo } = settingsFor(settings, "", source)
  const rulesCommit = rulesCheckout === checkout ? commit : (await rulesCheckout.fetch(signal)).commit
  const text = await rulesCheckout.file(rulesCommit, rulesPath, signal)
  if (text === undefined) {
    throw new UsageError("rules/missing", `${rulesPath} is not a file of commit ${rulesCommit}`, {
      hint: "Commit it, or give the path of another file with --plugin-config.",
    })
  }
  const parsed = parseRules(text.toString("utf8"), rulesPath)
  if (parsed.rules === undefined) {
    printProblems(parsed.problems)
    throw new UsageError("rules/invalid", `the rules ${rulesPath} have mistakes`)
  }
  const context = { ...contextOfSettings(settings, repo), clustersFrom }
  const plan = planTargets(parsed.rules, await checkout.tree(commit, signal), context)
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
  { settings, source, clustersFrom, checkout, rulesCheckout, log }: ApplyJob,
  signal: AbortSignal,
): Promise<ClusterSourceResult<LaneResult>> {
  return attempt({ cluster, source }, async () => {
    const kube = await openCluster(settings, cluster, clusterNamed(settings, cluster), log)
    const verify = settings.sources[source]?.verify
    const verifier = verify && openCommitVerifier(checkout.objects, verify)
    try {
      const ports = {
        kube,
        repository: checkout,
        rulesRepository: rulesCheckout,
        settings: { ...settingsFor(settings, cluster, source), clustersFrom },
        verifiers: verifier && { source: verifier, rules: undefined },
        clock: systemClock,
        log: log.child({ cluster, source }),
      }
      return laneResult(await reconcile({ cluster, source, mode: "full" }, ports, signal))
    } finally {
      kube.close()
      await verifier?.close()
    }
  })
}

function appliedText({ failed, error, ...result }: LaneResult): string {
  const lines = failed.map(({ target, reason }) => `\n  ${target}: ${reason}`)
  const why = error ? `\n  ${error.message} [${error.code}]` : ""
  return `${resultText(result)}${why}${lines.join("")}`
}
