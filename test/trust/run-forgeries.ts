import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { forgedNode, type NodeTrust } from "./forged-node.ts"
import { forge, type Keys, MINUTE, START, seeded, type Written, written } from "./forger.ts"

export interface ForgeryRun {
  folder: string
  count: number
  seed: number
  keys: Keys
  /** Undefined: the control, a node that believes any record. */
  trust: NodeTrust | undefined
}

export interface ForgeryReport {
  /** How often a reader saw what no writer had written for this node, or what is older than what it had seen. */
  shown: number
  /** By kind, the codes of refusals with their number; `harmless`: what the forger changed was nothing that is shown. */
  refused: Record<string, Record<string, number>>
}

/** How many forgeries one revision is attacked with before the next one comes. */
const EACH = 200

/** Attacks a node with a disk: it shows a revision, and what comes next is forged. */
export async function runForgeries({ folder, count, seed, keys, trust }: ForgeryRun): Promise<ForgeryReport> {
  const pick = seeded(seed)
  const report: ForgeryReport = { shown: 0, refused: {} }
  let seq = 6
  let made = 0
  let node = await nodeAt()

  async function nodeAt() {
    const own = join(folder, `node-${made}`)
    await mkdir(own)
    return forgedNode(own, trust, () => START + (2 * seq + 2) * MINUTE)
  }

  /** Gives what readers see afterwards. */
  async function attack(next: Written, before: string): Promise<string> {
    made++
    const { kind, ...forged } = forge(pick, keys, next)
    const code = await node.look(forged)
    const shown = canonicalJson(node.shown())
    const isRightful = shown === canonicalJson(next.files) || shown === before
    if (!isRightful) report.shown++
    if (code !== undefined || isRightful) noteRefusal(report, kind, code ?? "harmless")
    return shown
  }

  for (; made < count; seq++) {
    const refused = await node.look(written(keys.own, seq))
    if (refused !== undefined) {
      if (trust !== undefined) throw new Error(`the rightful revision ${seq} is refused: ${refused}`)
      // A forged token has put its floor beyond what any writer writes.
      await node.close()
      node = await nodeAt()
      continue
    }
    const next = written(keys.own, seq + 1)
    const before = filesAt(keys, seq)
    let shown = before
    for (let each = 0; each < EACH && made < count && shown === before; each++)
      shown = await attack(next, before)
    if (shown === before || shown === canonicalJson(next.files)) continue
    // What it shows now is the forger's: a rightful node is attacked next.
    await node.close()
    node = await nodeAt()
  }
  await node.close()
  return report
}

function filesAt({ own }: Keys, seq: number): string {
  return canonicalJson(written(own, seq).files)
}

/** Counts one refusal by its kind and code. */
export function noteRefusal({ refused }: ForgeryReport, kind: string, code: string): void {
  const codes = refused[kind] ?? {}
  codes[code] = (codes[code] ?? 0) + 1
  refused[kind] = codes
}
