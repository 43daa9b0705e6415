import { readFile } from "node:fs/promises"
import { UsageError } from "@headrace/shared/foundation/errors"
import { readFolderTree } from "@headrace/shared/git/read-folder-tree"
import { type FileChange, touchedPaths } from "@headrace/shared/plan/file-change"
import { parseChanges } from "@headrace/shared/plan/parse-changes"
import type { PlanContext } from "@headrace/shared/plan/plan-context"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { touchedKeys } from "@headrace/shared/plan/touched-keys"
import { listPlan, listTouched, planText } from "../../cli/list-plan.ts"
import { printProblems } from "../../cli/print-problems.ts"
import { readRules } from "../../cli/read-rules.ts"

export interface PlanOptions {
  sourcePath: string[]
  rules: string
  repo?: string
  changes?: string
  defaultCluster: string
  defaultNamespace: string
  strict: boolean
  output: "json" | "text"
}

/** Plans and prints; gives the exit code. What is wrong goes to standard error, and the other targets are shown. */
export async function runPlan(options: PlanOptions, signal?: AbortSignal): Promise<number> {
  const { tree, parsed } = await readSource(options, signal)
  if (!parsed.rules) {
    printProblems(parsed.problems)
    return 1
  }
  const changes = options.changes === undefined ? undefined : await readChanges(options.changes)
  const context: PlanContext = {
    repo: options.repo,
    defaults: { cluster: options.defaultCluster, namespace: options.defaultNamespace },
    strict: options.strict,
  }
  const plan = planTargets(parsed.rules, tree, context)
  const listed = changes
    ? listTouched(touchedKeys(parsed.rules, plan, touchedPaths(changes), context))
    : listPlan(plan)
  const text = options.output === "json" ? `${JSON.stringify(listed, undefined, 2)}\n` : planText(listed)
  process.stdout.write(text)
  return printProblems([...parsed.problems, ...plan.problems]) > 0 ? 1 : 0
}

async function readSource({ sourcePath, rules }: PlanOptions, signal: AbortSignal | undefined) {
  const files = await readFolderTree(sourcePath, signal)
  try {
    return { tree: files.tree, parsed: await readRules(rules, sourcePath, { fileAt: files.fileAt }) }
  } finally {
    await files.close()
  }
}

/** Reads a JSON array of changed files. Throws UsageError `plan/wrong-changes`. */
async function readChanges(file: string): Promise<FileChange[]> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UsageError("plan/wrong-changes", `cannot read the list of changes ${file}`, { cause })
  })
  return parseChanges(text, file)
}
