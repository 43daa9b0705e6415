import { UsageError } from "@headrace/shared/foundation/errors"
import { findCheckout } from "@headrace/shared/git/find-checkout"
import { type Checkout, openCheckout } from "@headrace/shared/git/open-checkout"
import type { Log } from "@headrace/shared/observe/log"
import { loadOperatorSettings } from "@headrace/shared/settings/load-operator-settings"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import type { ProwOptions } from "./prow-flags.ts"
import { locateRules, type RulesLocation, refuseSupplementalRules } from "./prow-rules.ts"
import { settingsOfProwFlags } from "./prow-settings.ts"

export interface ApplyCheckoutOptions extends ProwOptions {
  /** The operator's file; without one, Prow's flags say where to go. */
  config?: string
  cluster?: string[]
  source?: string[]
  output: "json" | "text"
  logLevel: string
}

/** A checkout that is to be applied, with all that was opened for it. */
export interface ApplyJob {
  settings: OperatorSettings
  source: string
  /** Where clusters are listed, where that is not the operator's file. */
  clustersFrom: "kubeconfigs" | undefined
  checkout: Checkout
  /** The same one, unless the rules are of another. */
  rulesCheckout: Checkout
  log: Log
}

/** The record's name when nobody gives another. */
const SOURCE = "prow"

/** Opens what --source-path names, with the rules for it; the caller closes both checkouts. Throws UsageErrors. */
export async function openApplyJob(options: ApplyCheckoutOptions, log: Log): Promise<ApplyJob> {
  const { top, folders } = await oneCheckout(options.sourcePath ?? [])
  if (options.config === undefined) return jobOfFlags(options, top, folders, log)
  const settings = await loadOperatorSettings(options.config)
  const source = sourceOf(settings, options.source)
  if (folders.join() !== "") {
    throw new UsageError("apply/source-paths", "with --config, --source-path is the top of a checkout", {
      hint: `Give ${top}: the rules of ${source} count paths from there.`,
    })
  }
  const checkout = await openCheckout(top)
  return { settings, source, clustersFrom: undefined, checkout, rulesCheckout: checkout, log }
}

async function jobOfFlags(
  options: ApplyCheckoutOptions,
  top: string,
  folders: readonly string[],
  log: Log,
): Promise<ApplyJob> {
  const source = options.source?.[0] ?? SOURCE
  await refuseSupplementalRules(options)
  const rules = await locateRules(options.pluginConfig, top)
  const settings = await settingsOfProwFlags(options, top, rules, source)
  const checkout = withRules(await openCheckout(top, folders), rules)
  const rulesCheckout = rules.kind === "checkout" ? await openCheckout(rules.top) : checkout
  return { settings, source, clustersFrom: "kubeconfigs", checkout, rulesCheckout, log }
}

/** The checkout with rules that are of no commit as one of its files; logged, since no token can distinguish their versions. */
function withRules(checkout: Checkout, rules: RulesLocation): Checkout {
  if (rules.kind !== "file") return checkout
  const { path, text } = rules
  process.stderr.write(
    `note: the rules ${path} are of no commit: of two runs at one HEAD the later one wins\n`,
  )
  return {
    ...checkout,
    file: async (commit, wanted, signal) => (wanted === path ? text : checkout.file(commit, wanted, signal)),
  }
}

/** The one checkout that all source paths lie in, and which folders of it they are. Throws UsageError. */
async function oneCheckout(paths: readonly string[]): Promise<{ top: string; folders: string[] }> {
  const found = await Promise.all(paths.map(checkoutOf))
  const tops = [...new Set(found.map(({ top }) => top))]
  const [top] = tops
  if (top !== undefined && tops.length === 1) return { top, folders: found.map(({ path }) => path) }
  throw new UsageError("apply/source-paths", `--source-path names several checkouts: ${tops.join(", ")}`, {
    hint: "List each as a source of the operator's file, with rules of its own: no token orders the commits of two histories.",
  })
}

async function checkoutOf(path: string) {
  const found = await findCheckout(path)
  if (found !== undefined) return found
  throw new UsageError("git/not-a-checkout", `--source-path ${path} is in no git checkout`, {
    hint: "Give a clone: its history is what orders this run among others.",
  })
}

function sourceOf(settings: OperatorSettings, named: readonly string[] | undefined): string {
  const [source, ...more] = named ?? Object.keys(settings.sources)
  if (source !== undefined && more.length === 0 && typeof settings.sources[source]?.rules === "string") {
    return source
  }
  throw new UsageError(
    "apply/which-source",
    "--source-path needs to know which source of the settings it is",
    {
      hint: "Give --source NAME, of a source whose rules are in it.",
    },
  )
}
