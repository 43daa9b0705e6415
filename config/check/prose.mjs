#!/usr/bin/env node
// Fails on words that docs/style.md marks, in comments, messages and documents: `npm run check:prose [-- PATH…]`.
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Pattern, and what to write instead. Only words without a legitimate use: docs/style.md lists the others. */
const AVOIDED = [
  [/\btold\b/i, "notified, reported, passed, logged, configured"],
  [/\btell(s|ing)?\b[^.;]{0,40}\bapart\b/i, "distinguish"],
  [/\btell(s|ing)?\b/i, "report, show, notify, name"],
  [/\b(stands|stood)\b/i, "is, is at, represents, means"],
  [/\bwh(o|om)ever\b/i, "the process that, any program that"],
  [/\b(some|no|any)body else\b/i, "another program, no other process"],
  [/\bmend(s|ed|ing)?\b/i, "repair, fix"],
  [/\bgo(es)? at\b/i, "attempts, tries"],
  [/\blet(s|ting)? go\b/i, "release, drop, close"],
  [/\bleads? nowhere\b/i, "dangles, has no target"],
  [/, else[.;]?$|; (or )?else\b(?!.*\bfi$)/i, "otherwise, or a sentence of its own"],
  [/\bpass(es|ed) over\b/i, "skip, ignore"],
  [/\bseldom\b/i, "rarely"],
  [/\bbears\b|\bmust bear\b/i, "tolerates, survives"],
  [/\btend(s|ed)\b/i, "maintains"],
  [/\berrands?\b/i, "job"],
  [/\bhence\b|\bthereby\b|\btherein\b|\bhereby\b/i, "so, by this, in it"],
  [/\banew\b/i, "again, from scratch"],
  // No word: what a merge leaves that was not resolved.
  [/^(<{7}|>{7}) /, "what both sides mean"],
]

/** The page itself names the words; references are generated, and the rules of real repositories are theirs. */
const EXEMPT =
  /^(docs\/style\.md|docs\/reference\/|config\/check\/|config\/schema\/|test\/prow\/real-blocks\/)/
const READ = /\.(ts|mjs|md|yaml|sh|py|go)$|(^|\/)Dockerfile$/

/** Comments, texts and regular expressions of TypeScript, JavaScript and Go. */
const TOKEN = new RegExp(
  [
    String.raw`\/\/[^\n]*`,
    String.raw`\/\*[\s\S]*?\*\/`,
    String.raw`"(?:[^"\\\n]|\\.)*"`,
    String.raw`'(?:[^'\\\n]|\\.)*'`,
    String.raw`\`(?:[^\`\\]|\\[\s\S])*\``,
    // A regular expression, where a value may begin; it is no prose, and may hold a quote.
    String.raw`(?<=[(,=:[!&|?{};\n]\s*|return\s)\/(?![*\/])(?:[^\/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/`,
  ].join("|"),
  "g",
)

const paths = process.argv.slice(2)
const listed = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...paths],
  {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    encoding: "utf8",
  },
)
const found = listed
  .split("\n")
  .filter((path) => READ.test(path) && !EXEMPT.test(path))
  .flatMap(findIn)
if (found.length > 0) {
  process.stdout.write(`${found.join("\n")}\n${found.length} words that docs/style.md asks to avoid\n`)
  process.exitCode = 1
}

function findIn(path) {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
  return proseOf(path, text).flatMap(({ line, prose }) =>
    AVOIDED.flatMap(([pattern, instead]) => {
      const word = pattern.exec(prose)?.[0]
      return word === undefined ? [] : [`${path}:${line}: "${word}": write ${instead}`]
    }),
  )
}

/** Lines of prose, counted from 1. Documents are prose throughout, other files in comments and TypeScript in texts. */
function proseOf(path, text) {
  if (path.endsWith(".md")) return numbered(text.split("\n"))
  if (!/\.(ts|mjs|go)$/.test(path))
    return numbered(text.split("\n").map((line) => /(^|\s)#.*$/.exec(line)?.[0] ?? ""))
  return numbered(onlyProse(text).split("\n"))
}

function numbered(lines) {
  return lines.map((prose, index) => ({ line: index + 1, prose: prose.trimEnd() }))
}

/** The text with everything blanked but comments and texts of several words, so that lines keep their numbers. */
function onlyProse(text) {
  let prose = ""
  let end = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    prose +=
      blank(text.slice(end, index)) + (isProse(token) ? token.replaceAll(/\$\{[^}]*\}/g, "…") : blank(token))
    end = index + token.length
  }
  return prose + blank(text.slice(end))
}

function isProse(token) {
  if (/^\/[/*]/.test(token)) return true
  return !token.startsWith("/") && /\w\s+\w/.test(token)
}

function blank(text) {
  return text.replaceAll(/[^\n]/g, " ")
}
