import { escapeText } from "../foundation/escape-text.ts"
import { ageText, timeAndAge } from "./age-text.ts"
import { worstLevel } from "./finding.ts"
import type { ClusterSourceStatus, Finding, FleetStatus } from "./fleet-status.ts"
import { shortCommit } from "./short-commit.ts"
import { stateLabel } from "./state-label.ts"
import { PAGE_STYLE } from "./status-page-style.ts"
import { findingText, liveText, SYMBOLS, summaryOf } from "./status-text.ts"

/** Seconds after which a browser loads the page again; a file is not loaded again by itself. */
const REFRESH_SECONDS = 10
/** Nodes that are named on the page; the JSON output lists all. */
const NAMED_NODES = 100

/**
 * Everything as one page of HTML and CSS, without a script: for a port that serves it (`refresh`: browsers load it again) or
 * for a file. What a repository or a cluster named is escaped. Pure.
 */
export function statusPage(status: FleetStatus, { refresh }: { refresh: boolean }): string {
  const summary = summaryOf(status)
  const meta = refresh ? `<meta http-equiv="refresh" content="${REFRESH_SECONDS}">\n` : ""
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${meta}<title>${html(`${SYMBOLS[status.level]} ${summary}`)} · Headrace</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Headrace</h1>
<p class="${status.level}"><span aria-hidden="true">${SYMBOLS[status.level]}</span> ${html(summary)}</p>
<p class="when"><time datetime="${html(status.at)}">${html(status.at.replace(/\.\d+Z$/, "Z"))}</time></p>
</header>
<main>
${[findingsSection(status), ...sourceSections(status), nodesSection(status)].filter(Boolean).join("\n")}
</main>
</body>
</html>
`
}

/** What needs a person, or is worth knowing, in full. */
function findingsSection({ findings, clusterSources, at }: FleetStatus): string {
  const everywhere = findings.map((finding) => findingItem(finding, at))
  const places = clusterSources
    .filter((one) => one.findings.length > 0)
    .map(
      (one) => `<article class="${one.level}">
<h3>${html(one.source)} in ${html(one.cluster)} <small>${stateText(one)}</small></h3>
<ul>${one.findings.map((finding) => findingItem(finding, at)).join("")}</ul>
</article>`,
    )
  if (everywhere.length + places.length === 0) return ""
  const fleet =
    everywhere.length > 0
      ? [`<article class="${worstLevel(findings)}"><ul>${everywhere.join("")}</ul></article>`]
      : []
  return `<section aria-labelledby="attention">
<h2 id="attention">Needs attention</h2>
${[...fleet, ...places].join("\n")}
</section>`
}

function findingItem(finding: Finding, at: string): string {
  const { level, advice, command } = finding
  return [
    `<li><span class="${level}" aria-hidden="true">${SYMBOLS[level]}</span> ${html(findingText(finding, at))}`,
    ...(advice === null ? [] : [`<p>${html(advice)}</p>`]),
    ...(command === null ? [] : [`<pre><code>${commandHtml(command)}</code></pre>`]),
    "</li>",
  ].join("")
}

/** A line may break before a flag, and not within its name. */
function commandHtml(command: string): string {
  const [program = "", ...flags] = command.split(/ (?=--)/)
  return [html(program), ...flags.map((flag) => `<span>${html(flag)}</span>`)].join(" ")
}

/** One table for each source. */
function sourceSections({ clusterSources }: FleetStatus): string[] {
  const bySource = Map.groupBy(clusterSources, ({ source }) => source)
  return [...bySource].map(([source, places], number) => {
    const tip = places.find((one) => one.tip !== null)?.tip
    const behind = tip === undefined ? "" : ` <small>branch at <code>${html(shortCommit(tip))}</code></small>`
    return `<section aria-labelledby="source-${number}">
<h2 id="source-${number}">${html(source)}${behind}</h2>
<table>
<thead><tr><th scope="col">Cluster</th><th scope="col">State</th><th scope="col">Shows</th><th scope="col">Lag</th><th scope="col">Nodes</th><th scope="col" class="n">Files</th></tr></thead>
<tbody>
${places.map(row).join("\n")}
</tbody>
</table>
</section>`
  })
}

function row(one: ClusterSourceStatus): string {
  const { level, commit, store } = one
  return `<tr><th scope="row">${html(one.cluster)}</th><td class="${level}">${stateText(one)}</td><td>${
    commit === null ? "nothing" : `<code>${html(shortCommit(commit))}</code>`
  }</td><td>${html(lagText(one))}</td><td>${html(liveText(one.nodes))}</td><td class="n">${store?.files ?? ""}</td></tr>`
}

/** State and level in words and a symbol: colour says nothing that they do not say. */
function stateText(one: ClusterSourceStatus): string {
  return `<span aria-hidden="true">${SYMBOLS[one.level]}</span> ${html(stateLabel(one))}`
}

function lagText({ behind, lag }: ClusterSourceStatus): string {
  if (!behind) return ""
  const age = lag === null ? "" : `, ${ageText(lag * 1000)}`
  return `${behind} ${behind === 1 ? "commit" : "commits"}${age}`
}

interface NodeRow {
  cluster: string
  source: string
  node: string
  shows: string | null
  since: string | null
  problem: string
}

/** Every node that is not live, with its own reason. */
function nodesSection({ clusterSources, at }: FleetStatus): string {
  const all = clusterSources.flatMap(nodeRows)
  if (all.length === 0) return ""
  const rows = all
    .slice(0, NAMED_NODES)
    .map(
      ({ node, cluster, source, shows, since, problem }) =>
        `<tr><th scope="row">${html(node)}</th><td>${html(`${source} in ${cluster}`)}</td><td><code>${html(shortCommit(shows))}</code></td><td>${
          since === null ? "" : html(timeAndAge(since, at))
        }</td><td>${html(problem)}</td></tr>`,
    )
  const more = all.length - rows.length
  return `<section aria-labelledby="nodes">
<h2 id="nodes">Nodes that are not live</h2>
<table>
<thead><tr><th scope="col">Node</th><th scope="col">Of</th><th scope="col">Shows</th><th scope="col">Since</th><th scope="col">Why</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
${more > 0 ? `<p>and ${more} more</p>` : ""}
</section>`
}

function nodeRows({ cluster, source, nodes }: ClusterSourceStatus): NodeRow[] {
  if (nodes === null) return []
  const behind = nodes.behind.map((one) => ({ ...one, problem: one.problem ?? "gives no reason" }))
  const silent = nodes.silent.map((one) => ({ ...one, problem: "no report since then" }))
  return [...behind, ...silent].map((one) => ({ ...one, cluster, source }))
}

function html(text: string): string {
  return escapeText(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
}
