/**
 * The command blocks of a page: fenced blocks of language `sh`. A block runs in the page's test unless a comment on the
 * line before it has another order:
 *
 *     <!-- not run: WHY -->                  no test runs it
 *     <!-- run by test/a.test.ts: HOW -->    that test runs it, or what it represents
 *     <!-- run: WORD, WORD -->               `long` (in npm run test:docs alone), `until stopped` (beside the blocks that
 *                                            follow), `until it prints` (again and again, as a reader looks again),
 *                                            `ends with 1` (the exit code)
 *
 * A block of language `text` after it is what it prints; `…` is any text of a line, a line of `…` for any lines.
 */
export interface CommandBlock {
  /** Of its first line, from 1. */
  line: number
  text: string
  order: Order
  /** What it prints, where the page shows that. */
  prints: string | undefined
}

export type Order =
  | { kind: "not run"; why: string }
  | { kind: "run elsewhere"; test: string }
  | {
      kind: "run"
      isLong: boolean
      isUntilStopped: boolean
      isRepeated: boolean
      exitCodes: readonly number[]
    }

const FENCE = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$/gm
const COMMENT = /<!--\s*((?:not run|run)\b[\s\S]*?)-->\s*$/
/** A block without a language that begins with one of these is meant to be typed. */
const TYPED = /^\$? ?(headrace-|npm |npx |kubectl |git |curl |docker )/m

interface Fence {
  line: number
  language: string
  text: string
  /** The text between the fence before it and this one. */
  lead: string
}

/** The command blocks of a page, in order. Throws for a comment that it does not understand. */
export function commandBlocks(page: string): CommandBlock[] {
  const fences = fencesOf(page)
  return fences.flatMap((fence, index) => {
    if (fence.language !== "sh") return []
    const next = fences[index + 1]
    const prints = next?.language === "text" ? next.text : undefined
    return [{ line: fence.line, text: fence.text, order: orderOf(fence), prints }]
  })
}

/** Lines of blocks that a reader would type, without the language `sh`. */
export function unmarkedCommands(page: string): number[] {
  return fencesOf(page)
    .filter(({ language, text }) => ["", "bash", "shell", "console"].includes(language) && TYPED.test(text))
    .map(({ line }) => line)
}

function fencesOf(page: string): Fence[] {
  let end = 0
  return [...page.matchAll(FENCE)].map(
    ({ 0: whole, 1: indent = "", 2: language = "", 3: body = "", index }) => {
      const lead = page.slice(end, index)
      end = index + whole.length
      const text = body.replaceAll(new RegExp(`^${indent}`, "gm"), "")
      return { line: page.slice(0, index).split("\n").length + 1, language, text, lead }
    },
  )
}

function orderOf({ lead, line }: Fence): Order {
  const [, comment] = COMMENT.exec(lead) ?? []
  if (comment === undefined)
    return { kind: "run", isLong: false, isUntilStopped: false, isRepeated: false, exitCodes: [0] }
  const [, why] = /^not run: (\S.*)$/s.exec(comment.trim()) ?? []
  if (why !== undefined) return { kind: "not run", why }
  const [, test] = /^run by (\S+\.test\.ts)(?:: .+)?$/s.exec(comment.trim()) ?? []
  if (test !== undefined) return { kind: "run elsewhere", test }
  const [, words] = /^run: (.+)$/s.exec(comment.trim()) ?? []
  if (words === undefined)
    throw new Error(`line ${line}: the comment before the block is "${comment.trim()}"`)
  return readWords(words.split(", "), line)
}

function readWords(words: readonly string[], line: number): Order {
  const order = {
    kind: "run" as const,
    isLong: false,
    isUntilStopped: false,
    isRepeated: false,
    exitCodes: [0],
  }
  for (const word of words) {
    const [, codes] = /^ends with (\d+(?: or \d+)*)$/.exec(word) ?? []
    if (codes !== undefined) order.exitCodes = codes.split(" or ").map(Number)
    else if (word === "long") order.isLong = true
    else if (word === "until stopped") order.isUntilStopped = true
    else if (word === "until it prints") order.isRepeated = true
    else throw new Error(`line ${line}: "${word}" is no order for a block`)
  }
  return order
}

/** True when a program printed what its page shows. */
export function hasPrinted(printed: string, shown: string): boolean {
  const lines = shown.trim().split("\n")
  return new RegExp(`^${lines.map(linePattern).join("")}$`).test(`${withoutColour(printed).trim()}\n`)
}

function linePattern(line: string): string {
  if (line.trim() === "…") return "(?:[^\\n]*\\n)*?"
  const parts = line
    .trim()
    .split("…")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return `[^\\S\\n]*${parts.join("[^\\n]*")}[^\\S\\n]*\\n`
}

function withoutColour(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a colour (ECMA-48).
  return text.replaceAll(/\u001b\[[\d;]*m/g, "")
}
