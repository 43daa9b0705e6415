import { judgeGates } from "@headrace/shared/gates/judge-gates"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { Gates } from "@headrace/shared/settings/gates"
import { sampleTrees } from "../harness/sample-trees.ts"
import { quantile } from "./quantile.ts"

const FILES = 10_000
const RUNS = 50
const RULES =
  "config_updater: {maps: {jobs/**/*.yaml: {name: jobs, use_full_path_as_key: true, clusters: {east: [ci], west: [ci]}}}}\n"
const SCHEMA = JSON.stringify({
  type: "object",
  properties: { periodics: { type: "array", items: { type: "object", required: ["name", "agent"] } } },
})

/** Every gate but a program, on a commit that changes one file of 10,000: what gates add to a reconcile. */
export async function run(): Promise<Record<string, number>> {
  const gates = Gates.parse({
    change: { targets: "50%", bytes: "x1.9", emptied: 5 },
    files: [
      { glob: "jobs/**/*.yaml", parse: "yaml" },
      { glob: "jobs/**", builtin: "prow-jobs" },
      { glob: "jobs/**", schema: "schemas/job.json" },
    ],
  })
  const { treeOf, read } = sampleTrees()
  const { rules } = parseRules(RULES, "plugins.yaml")
  if (!rules) throw new Error("the rules of the bench do not parse")
  const context = { defaults: { cluster: "east", namespace: "ci" } }
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [pathOf(index), jobs(index, "a")]),
  )
  const before = treeOf({ "schemas/job.json": SCHEMA, ...files })
  const beforePlan = planTargets(rules, before, context)
  const memory = { schemas: new Map() }
  const times: number[] = []
  const cpu: number[] = []
  for (let run = 0; run <= RUNS; run += 1) {
    const after = treeOf({ "schemas/job.json": SCHEMA, ...files, [pathOf(run)]: jobs(run, "b") })
    const plans = { before: beforePlan, after: planTargets(rules, after, context) }
    const judged = { commit: "c", gates, before, after, plans, isShapeJudged: true }
    const [start, used] = [performance.now(), process.cpuUsage()]
    const problems = await judgeGates(judged, { read, memory }, new AbortController().signal)
    times.push(performance.now() - start)
    const { user, system } = process.cpuUsage(used)
    cpu.push((user + system) / 1000)
    if (problems.length > 0) throw new Error(`the bench is refused: ${problems[0]?.message}`)
  }
  const [first = 0, ...warm] = times
  return {
    gates_1_of_10k_files_first_ms: first,
    gates_1_of_10k_files_p50_ms: quantile(warm, 0.5),
    gates_1_of_10k_files_p99_ms: quantile(warm, 0.99),
    gates_1_of_10k_files_cpu_p50_ms: quantile(cpu.slice(1), 0.5),
  }
}

function pathOf(index: number): string {
  return `jobs/org-${index % 100}/job-${index}.yaml`
}

/** Ten jobs, as large as such files are. */
function jobs(index: number, image: string): string {
  const all = Array.from(
    { length: 10 },
    (_, job) => `- name: job-${index}-${job}
  interval: 1h
  agent: kubernetes
  spec:
    containers:
    - image: registry/${image}:latest
      command: [make, test]
      env: [{name: A, value: "${job}"}]
`,
  )
  return `periodics:\n${all.join("")}`
}
