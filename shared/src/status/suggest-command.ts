/** What the commands that are suggested need to know to run as they are printed. */
export interface CommandContext {
  /** Path of the operator's file as the reader gives it; null: left to HEADRACE_CONFIG. */
  config: string | null
  /** True when the settings have several: a command then names the one that it is for. */
  severalClusters: boolean
  severalSources: boolean
  /** Where agents run. */
  programsNamespace: string
}

/** A command line of headrace-bootstrapper, for one source in one cluster, as a POSIX shell takes it. */
export function suggestCommand(
  context: CommandContext,
  words: readonly string[],
  place: { cluster?: string; source?: string } = {},
): string {
  const { cluster, source } = place
  const where = [
    ...(cluster !== undefined && context.severalClusters ? ["--cluster", cluster] : []),
    ...(source !== undefined && context.severalSources ? ["--source", source] : []),
    ...(context.config === null ? [] : ["--config", context.config]),
  ]
  return ["headrace-bootstrapper", ...words, ...where].map(quoted).join(" ")
}

/** Lists the agent's Pods on a node. */
export function suggestNodePods(context: CommandContext, node: string): string {
  const words = ["kubectl", "--namespace", context.programsNamespace, "get", "pods", "--output=wide"]
  return [...words, `--field-selector=spec.nodeName=${node}`].map(quoted).join(" ")
}

function quoted(word: string): string {
  return /^[-\w./:=@,+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
