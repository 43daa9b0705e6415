import { execFile, spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { load } from "js-yaml"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { ALERT_CASES, type AlertCase } from "./alert-cases.ts"
import {
  ALERTS_FILE,
  type AlertRule,
  problemsOf,
  ROOT,
  type RuleFile,
  readAlertRules,
} from "./alert-rules.ts"
import { prometheusRule } from "./prometheus-rule.ts"

const run = promisify(execFile)
const ALERTS = readAlertRules()
const RUNBOOKS = join(ROOT, "docs/runbooks")
/** Alerts that wait longer are evaluated less often: every minute of a day takes promtool half a minute. */
const LONG_MINUTES = 100
const noPromtool =
  spawnSync("promtool", ["--version"]).status === 0
    ? undefined
    : "needs promtool, of Debian's package prometheus: npm run test:alerts installs it"

describe("alerts", () => {
  it("name metrics that there are, by labels that they have", () => {
    for (const { alert, expr } of ALERTS) expect(problemsOf(expr), alert).toEqual([])
    expect(problemsOf('max by (cluster, color) (headrace_held{node="a"}) > headrace_hold')).toEqual([
      "there is no metric headrace_hold",
      "headrace_held has no label node",
      "none of its metrics has a label color",
    ])
  })

  it("have a severity, a summary, a description and a runbook, whose page is listed", () => {
    const index = readFileSync(join(RUNBOOKS, "README.md"), "utf8")
    for (const { alert, labels, annotations } of ALERTS) {
      expect(["critical", "warning", "info"], alert).toContain(labels.severity)
      expect(annotations.summary, alert).toMatch(/^\S.*[^.]$/)
      expect(annotations.description, alert).toMatch(/^[A-Z].*\.$/)
      const page = annotations.runbook.slice("docs/runbooks/".length)
      const text = readFileSync(join(RUNBOOKS, page), "utf8")
      expect(text.split("\n")[0]).toBe(`# ${alert}`)
      for (const section of ["## What it means", "## What to look at", "## What to type"]) {
        expect(text.split("\n"), page).toContain(section)
      }
      expect(index).toContain(`| [${alert}](${page}) | ${labels.severity} |`)
    }
    const pages = readdirSync(RUNBOOKS).filter((name) => name !== "README.md")
    expect(pages.sort()).toEqual(ALERTS.map(({ annotations }) => annotations.runbook.slice(14)).sort())
  })

  it("are the same for Prometheus and for its operator (vitest run test/monitoring --update=all rewrites it)", async () => {
    const plain = readFileSync(ALERTS_FILE, "utf8")
    const file = join(ROOT, "config/components/monitoring/prometheus-rule.yaml")
    await expect(prometheusRule(plain)).toMatchFileSnapshot(file)
    const { spec } = load(readFileSync(file, "utf8")) as { spec: RuleFile }
    expect(spec).toEqual(load(plain))
  })

  it("have each a case in which they fire and one in which they do not", () => {
    expect(ALERT_CASES.map(({ alert }) => alert).sort()).toEqual(ALERTS.map(({ alert }) => alert).sort())
    const named = ALERT_CASES.flatMap(({ fires, quiet }) => [...fires, ...quiet])
    for (const series of named) expect(problemsOf(series.replace(/le="[^"]*",?/, "")), series).toEqual([])
  })

  it.skipIf(noPromtool !== undefined)(
    `fire in their cases and in no other, by promtool${whySkipped(noPromtool)}`,
    () =>
      withFolder(async (folder) => {
        await run("promtool", ["check", "rules", ALERTS_FILE])
        const isLong = ({ minutes }: AlertCase) => minutes > LONG_MINUTES
        const short = promtoolTests(
          "1m",
          ALERT_CASES.filter((one) => !isLong(one)),
        )
        const files = Object.entries({ short, long: promtoolTests("30m", ALERT_CASES.filter(isLong)) })
        for (const [name, tests] of files) {
          const file = join(folder, `${name}.json`)
          // JSON is YAML.
          await writeFile(file, JSON.stringify(tests))
          await run("promtool", ["test", "rules", file])
        }
      }),
  )
})

function promtoolTests(interval: string, cases: readonly AlertCase[]) {
  return {
    rule_files: [ALERTS_FILE],
    evaluation_interval: interval,
    tests: cases.flatMap((one) => [testOf(one, true), testOf(one, false)]),
  }
}

function testOf({ alert, fires, quiet, minutes, ...expected }: AlertCase, isFiring: boolean) {
  const series = isFiring ? fires : quiet
  const alerts = isFiring ? [expectedAlert(ruleOf(alert), expected)] : []
  return {
    interval: "1m",
    input_series: series.map((text) => {
      const end = text.lastIndexOf("}") + 1
      return { series: text.slice(0, end), values: text.slice(end).trim() }
    }),
    alert_rule_test: [{ eval_time: `${minutes}m`, alertname: alert, exp_alerts: alerts }],
  }
}

function expectedAlert(rule: AlertRule, { labels, value = "" }: Pick<AlertCase, "labels" | "value">) {
  const texts = Object.entries(rule.annotations).map(([name, text]) => [
    name,
    text
      .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? "")
      .replaceAll(/\{\{ \$value(?: \| humanizeDuration)? \}\}/g, value),
  ])
  return { exp_labels: { ...labels, ...rule.labels }, exp_annotations: Object.fromEntries(texts) }
}

function ruleOf(alert: string): AlertRule {
  const rule = ALERTS.find((one) => one.alert === alert)
  if (rule === undefined) throw new Error(`there is no alert ${alert}`)
  return rule
}
