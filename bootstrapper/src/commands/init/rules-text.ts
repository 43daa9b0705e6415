import { escapeText } from "@headrace/shared/foundation/escape-text"
import type { ProposedRule } from "./propose-rules.ts"

/** Where the proposed ConfigMaps go. */
export interface RulesPlace {
  cluster: string
  namespace: string
}

/** A rules file of the proposal, explained in comments. */
export function rulesText(
  rules: readonly ProposedRule[],
  { cluster, namespace }: RulesPlace,
  leftOut: readonly string[] = [],
): string {
  const place = `{${quoted(cluster)}: [${quoted(namespace)}]}`
  return `# Which files go to which ConfigMap: a proposal of headrace-bootstrapper init. The first glob that matches a file has
# it. Change names and places as you like, then: headrace-bootstrapper check --source-path . --rules THIS_FILE
# Every field: docs/reference/rules.md. Recipes: docs/how-to/rules.md.
${leftOutText(leftOut)}config_updater:
  maps:
${rules.map((rule) => ruleText(rule, place)).join("")}`
}

function leftOutText([first, ...more]: readonly string[]): string {
  if (first === undefined) return ""
  const others = more.length === 0 ? "" : ` and ${more.length} more`
  return `# No rule matches these hidden files and documents: ${escapeText(first)}${others}.\n`
}

function ruleText(
  { glob, names, fullPathAsKey, view, files, bytes, notes }: ProposedRule,
  place: string,
): string {
  const [name = ""] = names
  const lines = [
    `    # ${files === 1 ? "1 file" : `${files} files`}, ${sizeText(bytes)}.`,
    ...notes.map((note) => `    # ${escapeText(note)}`),
    `    ${quoted(glob)}:`,
    names.length === 1
      ? `      name: ${quoted(name)}`
      : `      partitioned_names: [${names.map(quoted).join(", ")}]`,
    ...(fullPathAsKey ? ["      use_full_path_as_key: true"] : []),
    ...(view ? [] : ["      view: false"]),
    `      clusters: ${place}`,
  ]
  return `${lines.join("\n")}\n`
}

function sizeText(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.ceil(bytes / 1024)} KiB`
}

/** A double-quoted scalar of YAML is JSON's string. */
function quoted(text: string): string {
  return JSON.stringify(text)
}
