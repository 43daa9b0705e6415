import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { fingerprint } from "./projection-snapshot.ts"

/** What each projection must hold at a commit. */
export interface ExpectedRevisions {
  /** `CLUSTER/NAMESPACE/NAME` to the fingerprint of its files, at one commit. */
  at(commit: string): Promise<Map<string, string>>
  close(): Promise<void>
}

/** Plans any commit of a repository on its own, by the rules at that commit, beside whatever is under test. */
export async function expectedRevisions(options: {
  url: string
  branch: string
  rules: string
  folder: string
}): Promise<ExpectedRevisions> {
  const mirror = await openMirror({
    ...options,
    name: "expected",
    log: createLog("test", { level: "silent" }),
  })
  await mirror.fetch()
  const cache = new Map<string, Map<string, string>>()

  async function compute(commit: string): Promise<Map<string, string>> {
    const text = await mirror.file(commit, options.rules)
    const { rules } = parseRules(text?.toString("utf8") ?? "", options.rules)
    if (!rules) throw new Error(`no rules at ${commit}`)
    const tree = await mirror.tree(commit)
    const plan = planTargets(rules, tree, { defaults: { cluster: "default", namespace: "default" } })
    return new Map(
      plan.targets.map(({ target, keys }) => [
        `${target.cluster}/${target.namespace}/${target.name}`,
        fingerprint(keys.map(({ key, file }) => [key, file.oid] as const)),
      ]),
    )
  }

  return {
    async at(commit) {
      const known = cache.get(commit) ?? (await compute(commit))
      cache.set(commit, known)
      return known
    },
    close: () => mirror.close(),
  }
}
