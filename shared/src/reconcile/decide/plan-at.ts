import { canonicalJson } from "../../foundation/canonical-json.ts"
import { sha256 } from "../../foundation/digest.ts"
import { errorText, HeadraceError, hasCode } from "../../foundation/errors.ts"
import { type Problem, problemText } from "../../foundation/problem.ts"
import type { Plan } from "../../plan/plan.ts"
import type { PlanContext } from "../../plan/plan-context.ts"
import { emptyPlan, planTree } from "../../plan/plan-targets.ts"
import type { SourceRecord } from "../../record/record.ts"
import { parseRules, type RulesBounds } from "../../rules/parse-rules.ts"
import { DEFAULT_WRITER_BOUNDS } from "../../settings/bounds.ts"
import { type ClusterPlan, placeText } from "../run/cluster-plan.ts"
import type { ReconcileMemory, RulesAnswer } from "../run/memory.ts"
import type { ReconcilePorts } from "../run/ports.ts"
import type { SourceRevision } from "../run/revision.ts"
import type { Run } from "../run/run.ts"
import type { PlanOf } from "../target/owned-keys.ts"
import type { Stamp } from "../target/ownership.ts"

/** Raised when layouts or indexes change their form, so that every record is rebuilt once. */
const STORE_FORMAT = 1

/** What reading rules needs. */
export type RulesPorts = Pick<ReconcilePorts, "rulesRepository" | "settings" | "onBreach">

/** Digest of rules and settings at a revision; throws `rules/…` when the rules are missing or do not parse. */
export async function rulesDigestAt(
  ports: RulesPorts,
  memory: ReconcileMemory,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<string> {
  const { rules } = await rulesAt(ports, memory, revision, signal)
  const { repo, strict, defaults, namespace, clusters, store } = ports.settings
  const settings = { repo, strict, defaults, namespace, clusters: [...clusters], store, format: STORE_FORMAT }
  return sha256(canonicalJson({ rules: rules.digest, settings }))
}

/** The plan of one cluster at a revision; throws `rules/…` or `git/…`. */
export async function planAt(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  cluster: string,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<ClusterPlan> {
  const { digest, plan } = await wholePlanAt(ports, memory, revision, signal)
  return { digest, ...ofCluster(plan, cluster) }
}

/**
 * The plan at the commit that a target was last stamped with, under the rules of its stamp; where it names none that
 * are known, under those at `rulesCommit`. Undefined when that is no longer known: the mirror does not have the
 * commit, or its rules do not parse. Throws `git/…`: then what is ours in the target is not known yet, and a key that
 * went away must not be left there as another program's.
 */
export async function planAtStamp(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  cluster: string,
  { stamp, rulesCommit }: { stamp: Pick<Stamp, "commit" | "rulesCommit">; rulesCommit: string | null },
  signal: AbortSignal,
): Promise<ClusterPlan | undefined> {
  const { repository, rulesRepository } = ports
  if ((await repository.seqOf(stamp.commit, signal)) === undefined) return undefined
  const written = rulesCommit === null ? undefined : stamp.rulesCommit
  const isKnown = written && (await rulesRepository.seqOf(written, signal)) !== undefined
  const revision = { commit: stamp.commit, rulesCommit: isKnown ? written : rulesCommit }
  try {
    return await planAt(ports, memory, cluster, revision, signal)
  } catch (error) {
    if (hasCode(error, "rules/")) return undefined
    throw error
  }
}

/** What a run asks for the plans of its targets' stamps; `rulesCommit` gives the rules where a stamp names none. */
export function planOfStamps(
  { ports, memory, request, signal }: Run,
  { rulesCommit }: Pick<SourceRevision, "rulesCommit">,
): PlanOf {
  return (stamp) => planAtStamp(ports, memory, request.cluster, { stamp, rulesCommit }, signal)
}

/** What the rules and settings of now make of a revision; undefined where its commit or its rules are lost. Throws `git/…`. */
export async function planUnderSettingsOfNow(
  { ports, memory, request, signal }: Run,
  { commit, rulesCommit }: Pick<SourceRecord, "commit" | "rulesCommit">,
): Promise<ClusterPlan | undefined> {
  if (commit === null) return undefined
  const revision = { stamp: { commit, rulesCommit }, rulesCommit }
  return planAtStamp(ports, memory, request.cluster, revision, signal)
}

/**
 * Mistakes at a revision that no cluster's record can name, since their targets name a cluster that the
 * operator's settings do not have; throws as `planAt` does.
 */
export async function unplacedAt(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<Problem[]> {
  const { plan } = await wholePlanAt(ports, memory, revision, signal)
  return unplaced(plan, ports)
}

function unplaced(plan: Plan, ports: ReconcilePorts): Problem[] {
  const { clusters } = ports.settings
  return plan.problems.filter(
    ({ severity, target }) => severity === "error" && target !== undefined && !clusters.has(target.cluster),
  )
}

/** The plan of every cluster at a revision; throws `rules/…` or `git/…`. */
export async function wholePlanAt(
  ports: ReconcilePorts,
  memory: ReconcileMemory,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<{ digest: string; plan: Plan }> {
  const digest = await rulesDigestAt(ports, memory, revision, signal)
  const { rules, text } = await rulesAt(ports, memory, revision, signal)
  const context = planContextFromSettings(ports.settings)
  const under = planningKey(text, rules.file, context)
  const key = `${revision.commit} ${under}`
  const known = memory.plans.get(key)
  if (known) return { digest, plan: known.plan }
  const tree = await ports.repository.tree(revision.commit, signal)
  const made = planTree(memory.nearPlans.get(under) ?? emptyPlan(rules, context), tree)
  memory.plans.set(key, made)
  memory.nearPlans.set(under, made)
  for (const { code } of made.plan.problems) {
    if (code === "plan/file-too-large") ports.onBreach?.("file")
    if (code === "plan/target-too-large") ports.onBreach?.("target")
  }
  for (const problem of unplaced(made.plan, ports)) {
    ports.log.error({ commit: revision.commit, problem: problemText(problem) }, "a target cannot be placed")
  }
  return { digest, plan: made.plan }
}

/**
 * Names everything that an empty plan is made from. The digest of the rules would not do: it is of their meaning, and a plan
 * names lines.
 */
function planningKey(text: string, path: string, context: PlanContext): string {
  const clusters = context.clusters ? [...context.clusters] : null
  return sha256(canonicalJson({ text, path, context: { ...context, clusters } }))
}

/** What plans take from the operator's settings. */
export function planContextFromSettings(
  settings: Pick<
    ReconcilePorts["settings"],
    | "repo"
    | "strict"
    | "defaults"
    | "namespace"
    | "programsNamespace"
    | "wordsNamespace"
    | "clusters"
    | "otherClusters"
    | "clustersFrom"
    | "bounds"
  >,
): PlanContext {
  const { repo, strict, defaults, namespace, programsNamespace, wordsNamespace } = settings
  const { clusters, otherClusters, clustersFrom, bounds } = settings
  const own = [namespace, programsNamespace, ...(wordsNamespace === undefined ? [] : [wordsNamespace])]
  return { repo, strict, defaults, reservedNamespaces: own, clusters, otherClusters, clustersFrom, bounds }
}

/** The rules at a revision; throws `rules/…` when they are missing or do not parse. */
export async function rulesAt(
  ports: RulesPorts,
  memory: ReconcileMemory,
  revision: SourceRevision,
  signal: AbortSignal,
): Promise<Extract<RulesAnswer, { rules: unknown }>> {
  const commit = revision.rulesCommit ?? revision.commit
  const path = ports.settings.rulesPath
  const key = `${commit} ${path}`
  const answer = memory.rules.get(key) ?? (await readRules(ports, memory, commit, signal))
  memory.rules.set(key, answer)
  if ("rules" in answer) return answer
  throw new HeadraceError(answer.code, answer.message, {
    hint: "Fix the rules on the branch; until then everything stays as it is.",
  })
}

/** Measured by the repository before it is read, and counted before it is expanded. */
async function readRules(
  { rulesRepository, settings, onBreach }: RulesPorts,
  memory: ReconcileMemory,
  commit: string,
  signal: AbortSignal,
): Promise<RulesAnswer> {
  const { rulesPath: path, bounds = DEFAULT_WRITER_BOUNDS } = settings
  const content = await rulesRepository.file(commit, path, signal).catch((error: unknown) => {
    if (hasCode(error, "git/file-too-large")) return error
    throw error
  })
  if (content === undefined) return { code: "rules/missing", message: `there are no rules at ${path}` }
  if (content instanceof HeadraceError || content.length > bounds.rulesFile) {
    onBreach?.("rulesFile")
    const found = content instanceof HeadraceError ? content.message : `it has ${content.length} bytes`
    return {
      code: "rules/too-large",
      message: `${path}: ${found}, and bounds.rulesFile is ${bounds.rulesFile}`,
    }
  }
  const text = sha256(content)
  const answer = memory.parsedRules.get(`${text} ${path}`) ?? parsedRules(content, text, path, bounds)
  memory.parsedRules.set(`${text} ${path}`, answer)
  if ("code" in answer && answer.code === "rules/too-many-targets") onBreach?.("targets")
  return answer
}

function parsedRules(content: Buffer, text: string, path: string, bounds: RulesBounds): RulesAnswer {
  try {
    const { rules, problems } = parseRules(content.toString("utf8"), path, bounds)
    if (rules) return { rules, text }
    const mistake = problems.find((problem) => problem.severity === "error")
    const code = mistake?.code === "rules/too-many-targets" ? mistake.code : "rules/invalid"
    return { code, message: mistake ? problemText(mistake) : `${path} does not parse` }
  } catch (error) {
    return { code: "rules/invalid", message: `${path}: ${errorText(error)}` }
  }
}

function ofCluster(plan: Plan, cluster: string): Pick<ClusterPlan, "targets" | "refused"> {
  const mine = plan.targets.filter((planned) => planned.target.cluster === cluster)
  const refused = new Map<string, string>()
  for (const problem of plan.problems) {
    if (problem.severity !== "error" || problem.target?.cluster !== cluster) continue
    const place = placeText(problem.target)
    if (!refused.has(place)) refused.set(place, `${problem.message} [${problem.code}]`)
  }
  return { targets: new Map(mine.map((planned) => [placeText(planned.target), planned])), refused }
}

/** True when the mirrors have both commits of a revision: one may be new, and rules may come from elsewhere by now. */
export async function isReadable(
  { repository, rulesRepository }: Pick<ReconcilePorts, "repository" | "rulesRepository">,
  { commit, rulesCommit }: SourceRevision,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await repository.seqOf(commit, signal)) === undefined) return false
  // Its rules were of the source itself, and the settings may name those of another now.
  if (rulesCommit === null) return rulesRepository === repository
  return (await rulesRepository.seqOf(rulesCommit, signal)) !== undefined
}
