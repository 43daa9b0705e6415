import { rowOf } from "./consumer.ts"
import { ALL } from "./matrix.ts"
import { REASONS, reasonOf } from "./reasons.ts"
import type { Cell } from "./recorder.ts"
import type { MachineLoad, Results } from "./results.ts"
import type { Publisher } from "./site.ts"

const LAYOUTS = ["links", "exchange", "file"] as const satisfies readonly Publisher[]
const COLUMNS = [...LAYOUTS, "kubelet"] as const satisfies readonly Publisher[]

/** Marks a cell that was measured at the usual priority, where others were not. */
const USUAL = "†"

/** The page of the matrix, and what in it is not as it has to be. */
export interface ConsumersPage {
  page: string
  wrong: string[]
}

/** docs/consumers.md from what was measured. Pure. */
export function consumersPage(results: Results, load?: MachineLoad): ConsumersPage {
  const rows = ALL.flatMap(({ name, through, notice }) =>
    through.map((way) => ({ row: rowOf(name, way), name, notice: notice ?? "" })),
  )
  const wrong: string[] = []
  const lines = rows.map(({ row, notice }) => {
    const cells = COLUMNS.map((publisher) => cellText(row, publisher, results))
    return `| ${[row, servedBy(results, row) ?? "none", notice, ...cells, controlText(results, row)].join(" | ")} |`
  })
  for (const { row } of rows) wrong.push(...wrongIn(results, row))
  for (const name of new Set(rows.map((each) => each.name))) {
    const isServed = rows.some((each) => each.name === name && servedBy(results, each.row) !== undefined)
    if (!isServed)
      wrong.push(
        `${name} has no layout in which it notices everything, and reads nothing mixed but for a known reason`,
      )
  }
  return {
    page: `${HEAD}${loadText(results, load)}${TABLE}\n${lines.join("\n")}\n${reasonsText()}${TAIL}`,
    wrong,
  }
}

/** True when a consumer noticed every revision and read none mixed, nor anything that had gone. */
function isServed(cell: Cell | undefined): boolean {
  return cell !== undefined && noticesAll(cell) && cell.mixed === 0
}

function noticesAll({ paced, noticed, isCurrent }: Cell): boolean {
  return paced > 0 && noticed === paced && isCurrent
}

/** The layout for a row: one that serves it, or else one in which it notices everything and has a known reason to mix. */
function servedBy(results: Results, row: string): string | undefined {
  const serves = LAYOUTS.find((layout) => isServed(results[layout]?.[row]))
  if (serves !== undefined) return serves
  return LAYOUTS.find((layout) => {
    const cell = results[layout]?.[row]
    return cell !== undefined && noticesAll(cell) && reasonOf(row, layout) !== undefined
  })
}

function wrongIn(results: Results, row: string): string[] {
  const wrong: string[] = []
  for (const publisher of COLUMNS) {
    const cell = results[publisher]?.[row]
    if (cell === undefined) wrong.push(`${row}, ${publisher}: not measured`)
    else if (!isServed(cell) && reasonOf(row, publisher) === undefined)
      wrong.push(`${row}, ${publisher}: ${figures(cell)}, and no reason is known`)
  }
  if (isServed(results.kubelet?.[row]) && !isServed(results.links?.[row]))
    wrong.push(`${row}: works on a kubelet mount, and not in links`)
  if (hasPassed(results, row)) wrong.push(`${row}: passes a control that has to fail`)
  return wrong
}

/** True when a row shows no failure with a publisher that notifies no consumer. */
function hasPassed(results: Results, row: string): boolean {
  const { silent } = results
  return (silent?.[row]?.noticed ?? 0) > 0
}

function cellText(row: string, publisher: Publisher, results: Results): string {
  const cell = results[publisher]?.[row]
  if (cell === undefined) return "not measured"
  const reason = isServed(cell) ? undefined : reasonOf(row, publisher)
  const usual = (cell.nice ?? 0) > strongest(results) ? ` ${USUAL}` : ""
  return `${figures(cell)}${usual}${reason === undefined ? "" : ` [(${reason})](#reasons)`}`
}

function figures({ noticed, paced, delays, mixed, flips, unreadable }: Cell): string {
  const sorted = delays.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  const times = sorted.length === 0 ? "" : ` ${at(0.5)}/${at(0.99)} ms`
  const lost = unreadable > 0 ? `, ${unreadable} failed` : ""
  return `${noticed}/${paced}${times}, ${mixed} mixed in ${flips}${lost}`
}

function controlText({ tears, silent }: Results, row: string): string {
  const torn = tears?.[row]
  const still = silent?.[row]
  const parts = [
    torn && `tears: ${torn.mixed + torn.unreadable} of ${torn.readings} readings torn`,
    still && `silent: ${still.noticed}/${still.paced}`,
  ]
  return parts.filter(Boolean).join("; ") || "not measured"
}

/** A machine that does other things as well makes every consumer late, on a kubelet mount too. */
function loadText(results: Results, load: MachineLoad | undefined): string {
  if (load === undefined || load.most <= 2 * load.cores) return ""
  const nice = strongest(results)
  const busy = `
While this was measured ${load.least} to ${load.most} processes wanted the machine's ${load.cores} cores. Compare the columns; some revisions were noticed
after more than 2 s for that reason alone, on the kubelet's mount too. Nor are all figures of one run: \`--add\` keeps those of runs
before, here the controls and a part of the flips.
`
  if (nice >= 0) return busy
  return `${busy}
The paced revisions were measured with priority over the rest of the machine (nice ${nice}), but those of cells with a ${USUAL}.
`
}

/** The strongest priority that a cell's programs had. */
function strongest(results: Results): number {
  const cells = Object.values(results).flatMap((rows) => Object.values(rows))
  return Math.min(0, ...cells.map(({ nice = 0 }) => nice))
}

function reasonsText(): string {
  return `\n## Reasons\n\n${Object.entries(REASONS)
    .map(([number, text]) => `${number}. ${text}`)
    .join("\n")}\n`
}

const HEAD = `# Consumers

<!-- Generated by npm run test:consumers. Do not edit: the text is in test/consumers/page.ts. -->

Which programs notice a new revision, how soon, and whether they ever read half of one. Real programs follow one projection,
all of a group at the same time: first one revision after the other, the next when all have noticed it and wait for events
again; then flips without waiting.

## Which layout

- **\`links\`** (the default) serves whatever works on a kubelet mount. Point a watcher at the **file**, if it opens the path
  again (entr, certwatcher, fsnotify with its Remove, \`fs.watch\` with its \`rename\`), or at the **root**, where every flip is
  a rename of \`..data\`. A watcher of a folder further down has to watch the path again after each event.
- **\`exchange\`** is for programs that follow no links: Prow's job config in folders.
- **\`file\`** is for programs that ignore names with a dot and watch one folder for ever: the kubelet's static manifests, dnsmasq's
  \`hostsdir\`. Each file is a projection of its own.
- A server that reads its configuration once needs **\`notify\`**: a signal, a command or a call after each revision
  ([publish.md](publish.md)). The table names the signal. haproxy's master drops a SIGUSR2 that comes while it still starts again
  (11 of 60 that came 0.1 s after the new worker's first answer), so its notice is a command that waits for the new worker.

To read several files of one revision, open the folder once (\`..data\`, or the root in \`exchange\`) and read beneath it, as the
watchers here do; [recipes](recipes) shows how. A program that opens one path after the other can get two revisions, on any
mount.

## The matrix

A cell is: revisions noticed within 2 s of the paced ones; median/99th percentile from the begin of the publish to the
reading, in milliseconds; readings that were torn or of two revisions, in so many flips. *failed*: readings that could not be had at
20 attempts. *kubelet* is a mount by the steps of the kubelet's AtomicWriter, to compare with. The controls must fail: a publisher
that writes in place, in two halves, and one whose change is not where consumers look.

nginx has a cache of open files of 1 s, Prow polls each second, and servers were asked every 20 ms what they show. For Prometheus'
file_sd a reading is what its own metrics count, since it applies changes every 5 s.

The layout in the second column is the first one in which a consumer noticed everything; *none*: in none of this run.
`

const TABLE = `
| consumer, what it is pointed at | layout | notify | links | exchange | file | kubelet | controls |
|---|---|---|---|---|---|---|---|`

const TAIL = `
## Readers of the named ConfigMaps

The *view*, the ConfigMaps that rules name, is read by the kubelet and by programs that watch the API:

- **Reloader and others like it** restart a workload when a ConfigMap changes. A commit writes each ConfigMap that it changes once,
  and no other: those that compare \`resourceVersion\` are not woken by the rest either. ConfigMaps change one by one, so a
  workload that uses three of them is rolled out for the first, and again for the next. What reads a projection needs no
  restart.
- **Argo CD or Flux that applies the same ConfigMap** is another writer. Headrace takes over no ConfigMap without its labels
  (\`adopt\`), finds a foreign write by the stamp's digest, repairs it at the next reconcile and reports it
  (\`status\`, \`headrace_foreign_writes_total\`); labels and annotations of others stay. The other program sees drift and writes
  again, for ever: let one of them own the object. In Argo CD leave
  the ConfigMap out of the application, or ignore its \`/data\` and \`/metadata/annotations\` (\`ignoreDifferences\`, with
  \`RespectIgnoreDifferences=true\`). In Flux annotate it \`kustomize.toolkit.fluxcd.io/reconcile: disabled\`, or leave it out.
`
