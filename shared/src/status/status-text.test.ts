import { expect, it } from "vitest"
import { PLAIN } from "../command-line/paint.ts"
import { wrapCommand } from "../foundation/wrap-text.ts"
import { finding } from "./finding.ts"
import type { ClusterSourceStatus, FleetStatus } from "./fleet-status.ts"
import { statusText } from "./status-text.ts"

const COMMIT = "f73d5090fedc".padEnd(40, "0")

function place(number: number, more: Partial<ClusterSourceStatus> = {}): ClusterSourceStatus {
  return {
    cluster: `build${String(number).padStart(2, "0")}`,
    source: "release",
    state: "current",
    level: "well",
    commit: COMMIT,
    token: { epoch: 0, seq: 7 },
    tip: COMMIT,
    behind: 0,
    lag: null,
    hold: null,
    stopped: null,
    intents: [],
    failed: [],
    failedMore: 0,
    orphans: [],
    orphansUnknown: null,
    foreign: [],
    nodes: { live: 20, total: 20, behind: [], silent: [], gone: 0 },
    store: { targets: 12, files: 312, bytes: 4096 },
    lane: null,
    lastOutcome: null,
    findings: [],
    ...more,
  }
}

function fleet(clusterSources: ClusterSourceStatus[]): FleetStatus {
  return { format: 1, at: "2026-11-28T14:00:00.000Z", level: "well", findings: [], clusterSources }
}

it("gives each of a hundred healthy clusters one line of at most 80 columns", () => {
  const text = statusText(fleet(Array.from({ length: 100 }, (_, at) => place(at + 1))), PLAIN)
  const lines = text.trimEnd().split("\n")
  expect(lines).toHaveLength(102)
  expect(lines.every((line) => line.length <= 80)).toBe(true)
  expect(lines[2]).toBe("✓ release in build01   current  f73d5090fedc  live on 20/20 nodes  312 files")
})

it("says once why a cluster does not answer, below a line for each of its sources", () => {
  const why = (source: string) =>
    finding("trouble", "unreachable", "what it shows is not known", {
      detail: `get ConfigMap headrace/${source}: connect ECONNREFUSED`,
      command: "kubectl get --raw=/readyz",
    })
  const down = (number: number, source: string) =>
    place(number, { source, state: "unreachable", level: "trouble", findings: [why(source)] })
  const text = statusText(fleet([down(1, "jobs"), down(1, "release"), down(2, "jobs"), place(3)]), PLAIN)
  expect(text.match(/ECONNREFUSED/g)).toHaveLength(2)
  const [, first = "", second = "", well = ""] = text.split("\n\n")
  expect(first).toMatch(/^✗ jobs in build01 .*\n✗ release in build01 .*\n {4}what it shows/)
  expect(second).toMatch(/^✗ jobs in build02 .*\n {4}what it shows/)
  expect(well).toMatch(/^✓ release in build03/)
})

it("says of each source of a cluster why its record is not believed", () => {
  const why = (source: string) =>
    finding("trouble", "unreachable", "what it shows is not known", {
      detail: `record headrace/${source} is not signed`,
      command: `headrace-bootstrapper keys sign --source ${source}`,
    })
  const unsigned = (source: string) =>
    place(1, { source, state: "unreachable", level: "trouble", findings: [why(source)] })
  const text = statusText(fleet([unsigned("jobs"), unsigned("release")]), PLAIN)
  expect(text).toContain("keys sign --source jobs")
  expect(text).toContain("keys sign --source release")
})

it("shows trouble in full with age and command, and says each state in words", () => {
  const stopped = finding("trouble", "stopped", "stopped at f73d5090fedc", {
    code: "guard/deleted-keys",
    since: "2026-11-28T13:08:00.000Z",
    detail: "this change would delete 40 of 41 keys\n\u001b[31m, more than the guard's 20%",
    advice: "Approve it if it is meant; otherwise revert the merge.",
    command: "headrace-bootstrapper approve --commit f73d5090fedc --cluster build02",
  })
  const text = statusText(
    fleet([place(2, { level: "trouble", state: "stopped", findings: [stopped] }), place(1)]),
    PLAIN,
  )
  expect(text).toBe(`1 in trouble, 1 well  2026-11-28T14:00:00Z

✗ release in build02  stopped  f73d5090fedc  live on 20/20 nodes
    stopped at f73d5090fedc since 2026-11-28T13:08:00Z (52 min ago): this change
    would delete 40 of 41 keys\\n\\u001b[31m, more than the guard's 20%
    [guard/deleted-keys]
    Approve it if it is meant; otherwise revert the merge.
    → headrace-bootstrapper approve --commit f73d5090fedc --cluster build02

✓ release in build01  current  f73d5090fedc  live on 20/20 nodes  312 files
`)
})

it("breaks a command so that a shell takes it as one", () => {
  expect(
    wrapCommand("headrace-bootstrapper release --cluster build02 --config /etc/headrace.yaml", 60),
  ).toEqual(["headrace-bootstrapper release --cluster build02 \\", "  --config /etc/headrace.yaml"])
})
