import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { failsOn, NAMESPACE, SOURCE, STATES, type StagedNode, type State } from "./fleet-plan.ts"

/** Revisions stay on disk for the whole run, so that none which was shown for a moment is missed. */
const KEEP = "{age: 1h, revisions: 2}"

/** The settings of a node's agent; its consumer is asked twice a second while there is something to judge. */
export function agentSettings({
  node,
  kubeconfigFile,
  path,
  consumer,
}: {
  node: StagedNode
  kubeconfigFile: string
  path: string
  consumer: string | undefined
}): string {
  const after =
    consumer === undefined ? "" : `    after: [{exec: [${consumer}], every: 500ms, for: 1s, timeout: 60s}]\n`
  return `version: 1
record: ${NAMESPACE}/${SOURCE}
kubeconfig: ${kubeconfigFile}
listen: 127.0.0.1:0
report: {node: ${node.name}, every: 1s}
projections:
  state:
    path: ${path}
    durability: none
    keep: ${KEEP}
    from: [{configMap: ci/state}]
${after}`
}

/** Writes a node's consumer, which fails with what its node does not work with; gives its path. */
export async function writeConsumer(folder: string, node: StagedNode): Promise<string> {
  const states = Object.keys(STATES) as State[]
  const bad = states.filter((state) => failsOn(state, node)).map((state) => `"${state}")`)
  const file = join(folder, `${node.name}.consumer`)
  const script = `#!/bin/sh
IFS= read -r state < "$HEADRACE_PATH/now" || exit 2
case "$state" in
  ${bad.map((pattern) => `${pattern} echo "$state" >&2; exit 1;;`).join("\n  ")}
esac
`
  await writeFile(file, script, { mode: 0o755 })
  return file
}
