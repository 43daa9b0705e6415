import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { type CommandBlock, commandBlocks, hasPrinted, unmarkedCommands } from "./command-blocks.ts"
import { PAGES } from "./pages.ts"
import { isLongForm } from "./programs.ts"
import { openReader, type ReaderPlace } from "./reader.ts"

const ROOT = join(import.meta.dirname, "../..")
/** Typed in npm test, too. */
const SHORT = ["docs/tutorial.md"]
const LIMIT_MS = 600_000

const ALL = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((page) => existsSync(join(ROOT, page)))

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), "utf8")
}

describe.each(ALL)("%s", (page) => {
  const blocks = commandBlocks(textOf(page))

  it("has a place where its command blocks run, or says why none does", () => {
    const homeless = PAGES[page] ? [] : blocks.filter(({ order }) => order.kind === "run")
    expect(homeless.map(({ line }) => `${page}:${line}`)).toEqual([])
    for (const { order } of blocks) {
      if (order.kind === "run elsewhere") expect(existsSync(join(ROOT, order.test)), order.test).toBe(true)
    }
    expect(unmarkedCommands(textOf(page)).map((line) => `${page}:${line}`)).toEqual([])
  })

  it("has no link that dangles", () => {
    const links = [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map(
      ([, link = ""]) => link,
    )
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([])
  })
})

it("docs/README.md leads to every page within two clicks", () => {
  const first = linksOf("docs/README.md")
  const reached = new Set([...first, ...first.flatMap(linksOf)])
  expect(
    ALL.filter((page) => page.startsWith("docs/") && page !== "docs/README.md" && !reached.has(page)),
  ).toEqual([])
})

function linksOf(page: string): string[] {
  if (!page.endsWith(".md")) return []
  return [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, link = ""]) =>
    join(dirname(page), link),
  )
}

describe("a reader types the command blocks of", { timeout: LIMIT_MS }, () => {
  const typed = Object.entries(PAGES).filter(([page]) => isLongForm || SHORT.includes(page))

  it.each(typed)("%s", async (page, withPlace) => {
    await withPlace((place) => typeAll(page, place))
  })
})

async function typeAll(page: string, place: ReaderPlace): Promise<void> {
  const reader = await openReader(place)
  try {
    for (const block of commandBlocks(textOf(page))) {
      if (isTyped(block)) await named(page, block, () => reader.type(block))
    }
  } finally {
    await reader.leave()
  }
}

function isTyped({ order }: CommandBlock): boolean {
  return order.kind === "run" && (isLongForm || !order.isLong)
}

async function named(page: string, { line }: CommandBlock, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    throw new Error(`${page}:${line}: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}

describe("a command block", () => {
  const FENCE = "```"
  const block = (lead: string, language = "sh", text = "make it\n") =>
    `${lead}${FENCE}${language}\n${text}${FENCE}\n`

  it("runs, unless the comment right before it says otherwise", () => {
    const orders = (page: string) => commandBlocks(page).map(({ order }) => order)
    const run = { kind: "run", isLong: false, isUntilStopped: false, isRepeated: false, exitCodes: [0] }
    expect(orders(block("Text.\n\n"))).toEqual([run])
    expect(orders(block("<!-- not run: no cluster -->\n"))).toMatchObject([
      { kind: "not run", why: "no cluster" },
    ])
    expect(orders(block("<!-- run by test/a.test.ts: the same -->\n"))).toMatchObject([
      { test: "test/a.test.ts" },
    ])
    expect(orders(block("<!-- run: long, ends with 1 -->\n"))).toEqual([
      { ...run, isLong: true, exitCodes: [1] },
    ])
    expect(orders(block("<!-- not run: no cluster -->\n\nText.\n\n"))).toEqual([run])
    expect(orders(block("", "yaml"))).toEqual([])
    expect(() => orders(block("<!-- run: perhaps -->\n"))).toThrow("perhaps")
    expect(() => orders(block("<!-- not run -->\n"))).toThrow("not run")
  })

  it("is found in a list, and without its language", () => {
    const [found] = commandBlocks(`- item\n\n  ${FENCE}sh\n  a\n    b\n  ${FENCE}\n`)
    expect(found).toMatchObject({ line: 4, text: "a\n  b\n" })
    expect(unmarkedCommands(block("", "", "npm run demo\n"))).toEqual([2])
    expect(unmarkedCommands(block("", "", "a/\n  b\n"))).toEqual([])
  })

  it("is held against what the page shows", () => {
    expect(hasPrinted("up: /a/node shows\nmore\n", "up: …/node shows\n…")).toBe(true)
    expect(hasPrinted("\u001b[32mup\u001b[39m\n", "up\n")).toBe(true)
    expect(hasPrinted("first\nsecond\nthird\n", "…\nthird\n")).toBe(true)
    expect(hasPrinted("third\n", "…\nthird\n")).toBe(true)
    expect(hasPrinted("first\nthird\nfourth\n", "…\nthird\n")).toBe(false)
    expect(hasPrinted("interval: 12h\n", "interval: 24h\n")).toBe(false)
  })
})
