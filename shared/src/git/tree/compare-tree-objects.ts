import { HeadraceError } from "../../foundation/errors.ts"

/** One entry of a tree object. */
export interface ObjectEntry {
  /** Six octal digits, as git prints it. */
  mode: string
  /** Hex digits. */
  oid: string
  /** The bytes as Latin-1: a name need not be UTF-8. */
  name: string
}

/** What two tree objects have under one name; undefined: nothing. */
export interface EntryChange {
  before: ObjectEntry | undefined
  after: ObjectEntry | undefined
}

const MODE_DIGITS = 6

/**
 * The entries that two tree objects do not have in common. An object is `MODE NAME<nul>ID` for each entry, the id in bytes,
 * ordered by name. Entries before and behind the difference are bytes that both share, and are not parsed: one change in
 * a folder of 100,000 files is found in a few milliseconds.
 */
export function compareTreeObjects(before: Buffer, after: Buffer, idBytes: number): EntryChange[] {
  const start = entriesWithin(before, sharedStart(before, after), idBytes)
  const end = sharedEnd(before.subarray(start), after.subarray(start))
  const was = parse(before, start, before.length - end, idBytes)
  const is = parse(after, start, after.length - end, idBytes)
  // An entry may end within what both share at the end: both are parsed until as much of that is left.
  while (before.length - was.at > after.length - is.at) parseNext(before, was, idBytes)
  while (after.length - is.at > before.length - was.at) parseNext(after, is, idBytes)
  const names = new Set([...was.entries.keys(), ...is.entries.keys()])
  return [...names].flatMap((name) => {
    const change = { before: was.entries.get(name), after: is.entries.get(name) }
    return isSame(change) ? [] : [change]
  })
}

interface Parsed {
  entries: Map<string, ObjectEntry>
  /** Where the next entry begins. */
  at: number
}

function parse(content: Buffer, from: number, to: number, idBytes: number): Parsed {
  const parsed: Parsed = { entries: new Map(), at: from }
  while (parsed.at < to) parseNext(content, parsed, idBytes)
  return parsed
}

function parseNext(content: Buffer, parsed: Parsed, idBytes: number): void {
  const space = content.indexOf(" ", parsed.at)
  const nul = content.indexOf(0, space)
  if (space < 0 || nul < 0) throw new HeadraceError("git/damaged", "a tree object ends within an entry")
  const mode = content.toString("latin1", parsed.at, space).padStart(MODE_DIGITS, "0")
  const name = content.toString("latin1", space + 1, nul)
  parsed.at = nul + 1 + idBytes
  parsed.entries.set(name, { mode, name, oid: content.toString("hex", nul + 1, parsed.at) })
}

/** Where the last of the entries ends that lie within the first `bytes`. */
function entriesWithin(content: Buffer, bytes: number, idBytes: number): number {
  let at = 0
  while (true) {
    const nul = content.indexOf(0, at)
    if (nul < 0 || nul + 1 + idBytes > bytes) return at
    at = nul + 1 + idBytes
  }
}

function sharedStart(one: Buffer, other: Buffer): number {
  const most = Math.min(one.length, other.length)
  let shared = 0
  while (shared < most && one[shared] === other[shared]) shared += 1
  return shared
}

function sharedEnd(one: Buffer, other: Buffer): number {
  const most = Math.min(one.length, other.length)
  let shared = 0
  while (shared < most && one[one.length - 1 - shared] === other[other.length - 1 - shared]) shared += 1
  return shared
}

function isSame({ before, after }: EntryChange): boolean {
  return before !== undefined && before.oid === after?.oid && before.mode === after.mode
}
