import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { forgedNode } from "./forged-node.ts"
import { forge, type Keys, MINUTE, type Pick, type Written, written } from "./forger.ts"
import { type ForgeryReport, type ForgeryRun, noteRefusal } from "./run-forgeries.ts"

/** Revisions are signed every two minutes, so that `maxAge` is in the middle of what can be replayed. */
const REVISIONS = 60
export const FRESH_MAX_AGE = REVISIONS * MINUTE

/**
 * Attacks nodes that have shown nothing yet, each once. They have no floor, so that they show an earlier revision of a
 * rightful writer, and none that was signed longer ago than `maxAge`: `shown` counts whatever else a reader sees.
 */
export async function attackFreshNodes(
  { folder, count, keys, trust }: Omit<ForgeryRun, "seed">,
  pick: Pick,
): Promise<ForgeryReport> {
  const report: ForgeryReport = { shown: 0, refused: {} }
  for (let made = 0; made < count; made++) {
    const own = join(folder, `fresh-${made}`)
    await mkdir(own)
    const next = written(keys.own, 6 + pick(REVISIONS))
    const now = next.signedAt + MINUTE + pick(REVISIONS * 1.5) * MINUTE
    const node = forgedNode(own, trust, () => now)
    const { kind, ...forged } = forge(pick, keys, next)
    const code = await node.look(forged)
    const shown = canonicalJson(node.shown())
    await node.close()
    const isShown = shown !== "{}"
    if (isShown && !isRecent(keys, shown, { next, now })) report.shown++
    noteRefusal(report, kind, code ?? (isShown ? "recent" : "nothing"))
  }
  return report
}

/** True for what a writer with the key has written, up to `next`, and signed within `maxAge`. */
function isRecent({ own }: Keys, shown: string, { next, now }: { next: Written; now: number }): boolean {
  for (let seq = 1; seq <= next.seq; seq++) {
    for (const variant of [0, 1]) {
      const { files, signedAt } = written(own, seq, { variant })
      if (canonicalJson(files) === shown) return now - signedAt <= FRESH_MAX_AGE
    }
  }
  return false
}
