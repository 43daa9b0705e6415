/** What the commands that are suggested need to know to run as they are printed. */
export interface CommandContext {
  /** How headrace-bootstrapper is typed, see typedProgram. */
  bootstrapper: readonly string[]
  /** Path of the operator's file as the reader gives it; null: left to HEADRACE_CONFIG. */
  config: string | null
  /** True when the settings have several: a command then names the one that it is for. */
  severalClusters: boolean
  severalSources: boolean
  /** Where each source's repository is, and its rules in it; rules of another source are an object. */
  sources: Readonly<Record<string, { url: string; rules: unknown }>>
  /** Where agents run. */
  programsNamespace: string
  /** How kubectl reaches each cluster, by name; one without a kubeconfig is that of the reader's own environment. */
  clusters: Readonly<Record<string, { kubeconfig?: string | undefined; context?: string | undefined }>>
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
  return commandText([...context.bootstrapper, ...words, ...where])
}

/** Checks the rules of a source in a checkout of it; null: they are another source's. */
export function suggestCheck(context: CommandContext, source: string): string | null {
  const { url, rules } = context.sources[source] ?? {}
  if (url === undefined || typeof rules !== "string") return null
  const config = context.config === null ? [] : ["--config", context.config]
  return commandText([...context.bootstrapper, ...checkWords(url, rules), ...config])
}

/** `check` of rules in a repository: in its own folder, or of another's address in the folder where it is typed. */
export function checkWords(url: string, rules: string): string[] {
  return ["check", "--source-path", url.startsWith("/") ? url : ".", "--rules", rules]
}

/** Words as a POSIX shell takes them. */
export function commandText(words: readonly string[]): string {
  return words.map(quoted).join(" ")
}

/** Lists the agent's Pods on a node. */
export function suggestNodePods(context: CommandContext, node: string): string {
  const words = ["kubectl", "--namespace", context.programsNamespace, "get", "pods", "--output=wide"]
  return [...words, `--field-selector=spec.nodeName=${node}`].map(quoted).join(" ")
}

/** Asks a cluster's API server whether it is ready, past everything of Headrace. */
export function suggestClusterCheck({ clusters }: CommandContext, cluster: string): string {
  const { kubeconfig, context } = clusters[cluster] ?? {}
  const access = [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(context === undefined ? [] : ["--context", context]),
  ]
  return ["kubectl", ...access, "get", "--raw=/readyz"].map(quoted).join(" ")
}

/** A command line of headrace-agent, to be typed on a node. */
export function suggestOnNode(words: readonly string[]): string {
  return ["headrace-agent", ...words].map(quoted).join(" ")
}

function quoted(word: string): string {
  return /^[-\w./:=@,+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
