import { canonicalJson } from "@headrace/shared/foundation/canonical-json"

/** The one source of a local pipeline. */
export const SOURCE = "local"
/** Where a rule without a cluster goes, and what an empty namespace means. */
export const DEFAULTS = { cluster: "default", namespace: "default" }
/** Headrace's own namespace, where records and the store are. */
export const OWN_NAMESPACE = "headrace"

export interface LocalSource {
  /** Path or URL of the user's repository. */
  repo: string
  branch: string
  /** Path of the rules in it. */
  rules: string
  /** ORG/NAME that webhooks call it. */
  repository: string
  pollSeconds: number
  /** True: stop before much is deleted, as in a deployment. */
  guard?: boolean
}

/**
 * The operator's settings file for a laptop, as text (JSON is YAML).
 *
 * The guard is off unless it is asked for: everything here is rebuilt from the repository at each start, so nothing that a
 * deletion empties is lost, and nobody sits there to approve it.
 */
export function localOperatorSettings(
  source: LocalSource,
  kubeconfigs: ReadonlyMap<string, string>,
  files: { secret: string; redisUrl?: string; mirrors: string },
): string {
  // Each cluster is made for this and holds nothing else: rules may name any namespace of it.
  const namespaces = ["*", "kube-*"]
  const clusters = Object.fromEntries(
    [...kubeconfigs].map(([name, kubeconfig]) => [name, { kubeconfig, namespaces }]),
  )
  return canonicalJson({
    version: 1,
    sources: {
      [SOURCE]: {
        url: source.repo,
        branch: source.branch,
        rules: source.rules,
        repo: source.repository,
        poll: `${Math.max(1, Math.round(source.pollSeconds * 1000))}ms`,
        allowForcePush: true,
      },
    },
    clusters,
    defaults: DEFAULTS,
    namespace: OWN_NAMESPACE,
    ...(source.guard ? {} : { guard: "off" }),
    ...(files.redisUrl ? { redis: { urlFile: files.redisUrl } } : {}),
    webhook: { secretFiles: [files.secret] },
    mirrors: files.mirrors,
  })
}

/** The settings of the agent that projects every target of one cluster, as text. */
export function localAgentSettings(kubeconfig: string, folder: string, listen: string): string {
  return canonicalJson({
    version: 1,
    record: `${OWN_NAMESPACE}/${SOURCE}`,
    kubeconfig,
    everyTarget: { path: folder },
    // Only a node that reports counts for "is it live?".
    report: {},
    listen,
  })
}
