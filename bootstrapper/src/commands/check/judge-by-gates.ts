import { UsageError } from "@headrace/shared/foundation/errors"
import { escapeLine } from "@headrace/shared/foundation/escape-text"
import type { Problem } from "@headrace/shared/foundation/problem"
import type { Tree, TreeFile } from "@headrace/shared/foundation/tree"
import { gateName } from "@headrace/shared/gates/gate-problem"
import { judgeGates } from "@headrace/shared/gates/judge-gates"
import type { FolderTree } from "@headrace/shared/git/read-folder-tree"
import type { Plan } from "@headrace/shared/plan/plan"
import type { Gates } from "@headrace/shared/settings/gates"
import type { OperatorSettings } from "@headrace/shared/settings/operator-settings"
import { repoOfSource } from "@headrace/shared/settings/repo-of-source"
import { unknownName } from "@headrace/shared/settings/unknown-name"
import { settingsWhereTheyAreChecked } from "../../cli/plan-context.ts"

/** What a pull request is compared with. */
export interface ComparedWith {
  tree: Tree
  read(file: TreeFile): Promise<Buffer>
  /** Undefined where its rules had errors. */
  plans: { before: Plan; after: Plan } | undefined
}

/**
 * The gates of the source that is checked: of `source`, or of the sources of `repo` (all without it) the only one that has
 * any. Undefined without a file of settings, or without gates. Throws UsageError `settings/…`, `check/which-source`.
 */
export async function gatesOfFlags(options: {
  config?: string | undefined
  source?: string | undefined
  repo?: string | undefined
}): Promise<Gates | undefined> {
  if (options.config === undefined) {
    if (options.source === undefined) return undefined
    throw new UsageError("check/which-source", `--source ${options.source} names a source of no settings`, {
      hint: "Add --config FILE, the operator's file that has it.",
    })
  }
  const { settings } = await settingsWhereTheyAreChecked(options.config)
  return gatesOf(settings, options)
}

function gatesOf(
  { sources }: OperatorSettings,
  { source, repo }: { source?: string | undefined; repo?: string | undefined },
): Gates | undefined {
  if (source !== undefined) {
    if (!Object.hasOwn(sources, source)) throw unknownName("source", source, Object.keys(sources))
    return sources[source]?.gates
  }
  const ofRepo = Object.entries(sources).filter(
    ([, one]) => repo === undefined || (repoOfSource(one) ?? repo) === repo || one.url === repo,
  )
  const having = ofRepo.filter(([, { gates }]) => gates !== undefined)
  if (having.length > 1) {
    const names = having.map(([name]) => name).join(", ")
    throw new UsageError("check/which-source", `the settings have gates for several sources: ${names}`, {
      hint: "Add --source NAME, the one whose files these are.",
    })
  }
  return having[0]?.[1].gates
}

/**
 * What the gates have against the files. Compared with a merge base: against what changes, and the shape of the change;
 * otherwise against every file. A gate's program is run only where its settings say so: the files may be a stranger's.
 */
export async function judgeByGates(
  gates: Gates | undefined,
  files: FolderTree,
  base: ComparedWith | undefined,
  signal: AbortSignal,
): Promise<Problem[]> {
  if (gates === undefined) return []
  const before = new Set(base?.tree.files)
  const readOne = (file: TreeFile) => (base && before.has(file) ? base.read(file) : files.read(file))
  const left = gates.files.filter(({ exec, onPullRequests }) => exec && onPullRequests !== true)
  for (const gate of left) {
    const line = `not run, since onPullRequests is not set: gate ${gateName(gate)}`
    process.stderr.write(`${escapeLine(line)}\n`)
  }
  const judged = {
    commit: "",
    gates: { ...gates, files: gates.files.filter((gate) => !left.includes(gate)) },
    after: files.tree,
    before: base?.tree,
    plans: base?.plans,
    isShapeJudged: base !== undefined,
  }
  const read = (wanted: readonly TreeFile[]) => Promise.all(wanted.map(readOne))
  return judgeGates(judged, { read, memory: { schemas: new Map() } }, signal)
}
