import { EVENT_ID, type Event, getScalarValue } from "js-yaml"

/** A node of a YAML document that knows its position, which js-yaml's values do not. */
export interface YamlNode {
  kind: "scalar" | "mapping" | "sequence"
  /** Offset in the text, in UTF-16 code units. */
  offset: number
  /** Pairs of a mapping as written: duplicate keys and merge keys (`<<`) included. */
  entries: YamlEntry[]
  items: YamlNode[]
}

export interface YamlEntry {
  key: string
  /** Position of the key. */
  offset: number
  value: YamlNode
}

/** A collection that is still open while the events are read. */
interface Open {
  node: YamlNode
  pendingKey: { key: string; offset: number } | undefined
}

/**
 * The tree of each document, from js-yaml's events. An alias gives the very node it names, so a
 * result may share nodes or, for an alias inside its own anchor, hold a cycle: see {@link countNodes}.
 */
export function buildYamlNodes(text: string, events: readonly Event[]): (YamlNode | undefined)[] {
  const anchors = new Map<string, YamlNode>()
  const stack: Open[] = []
  const roots: (YamlNode | undefined)[] = []
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      stack.pop()
      continue
    }
    if (event.type === EVENT_ID.DOCUMENT) {
      anchors.clear()
      roots.push(undefined)
      continue
    }
    const node = nodeOf(event, text, anchors)
    if (roots.at(-1)) attach(stack.at(-1), node, keyText(event, text))
    else roots[roots.length - 1] = node
    if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      stack.push({ node, pendingKey: undefined })
    }
  }
  return roots
}

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.POP | typeof EVENT_ID.DOCUMENT }>

function nodeOf(event: NodeEvent, text: string, anchors: Map<string, YamlNode>): YamlNode {
  const anchor = event.anchorStart < 0 ? undefined : text.slice(event.anchorStart, event.anchorEnd)
  if (event.type === EVENT_ID.ALIAS) {
    return anchors.get(anchor ?? "") ?? emptyNode("scalar", event.anchorStart)
  }
  const node =
    event.type === EVENT_ID.SCALAR
      ? emptyNode("scalar", scalarOffset(event.valueStart, text))
      : emptyNode(event.type === EVENT_ID.MAPPING ? "mapping" : "sequence", event.start)
  if (anchor !== undefined) anchors.set(anchor, node)
  return node
}

function emptyNode(kind: YamlNode["kind"], offset: number): YamlNode {
  return { kind, offset, entries: [], items: [] }
}

/** A quoted scalar's event starts behind its quote: point at the quote, where the reader looks. */
function scalarOffset(valueStart: number, text: string): number {
  const before = text[valueStart - 1]
  return before === '"' || before === "'" ? valueStart - 1 : valueStart
}

function keyText(event: NodeEvent, text: string): string {
  return event.type === EVENT_ID.SCALAR ? getScalarValue(text, event) : ""
}

function attach(parent: Open | undefined, node: YamlNode, key: string): void {
  if (!parent) return
  if (parent.node.kind === "sequence") {
    parent.node.items.push(node)
  } else if (parent.pendingKey) {
    parent.node.entries.push({ ...parent.pendingKey, value: node })
    parent.pendingKey = undefined
  } else {
    parent.pendingKey = { key, offset: node.offset }
  }
}

/**
 * How many nodes there are beneath and with `node` when every alias is written out, counting no further
 * than `limit` (a "billion laughs" document is small, and huge only once it is walked). A cycle gives Infinity.
 */
export function countNodes(node: YamlNode, limit: number, counts: Map<YamlNode, number> = new Map()): number {
  const known = counts.get(node)
  if (known !== undefined) return known
  counts.set(node, Number.POSITIVE_INFINITY)
  let count = 1
  for (const child of [...node.items, ...node.entries.map((entry) => entry.value)]) {
    count += countNodes(child, limit, counts)
    if (count > limit) break
  }
  counts.set(node, count)
  return count
}
