import { setTimeout as delay } from "node:timers/promises"
import { NODES } from "./fleet-plan.ts"
import { type Play, reachesEverybody } from "./play-group.ts"
import { recordsNow, stageOf } from "./seen-records.ts"

/** Many times what a stage takes, and less than the silence that fails one. */
const SILENT_MS = 12_000
/** A stage that begins later finds its nodes silent already, and waits for them: on a busy machine it is tried again. */
const OPEN_WITHIN_MS = 6000
const ATTEMPTS = 6

/** What came of it: whether the stage was open while its nodes were silent. */
export interface StaleHealth {
  wasOpen: boolean
  violations: string[]
}

/**
 * The negative control: the nodes of the first stage are stopped (SIGSTOP). Their last reports are fresh and say that all is
 * well with the revision before. The stage must not pass by them; when they are awake again, it does.
 */
export async function playStaleHealth(play: Play): Promise<StaleHealth> {
  for (let attempt = 1; ; attempt += 1) {
    const seen = await playOnce(play)
    if (seen.wasOpen || seen.violations.length > 0 || attempt >= ATTEMPTS) return seen
  }
}

async function playOnce(play: Play): Promise<StaleHealth> {
  const { site, shown } = play
  const first = NODES.filter(({ stage }) => stage === 0)
  const signal = (name: NodeJS.Signals) => {
    for (const node of first) site.agents.get(node.name)?.child.kill(name)
  }
  const violations: string[] = []
  let wasOpen = false
  signal("SIGSTOP")
  try {
    play.number += 1
    const commit = await site.commit(`good\n${play.number}\n`)
    play.good.add(commit)
    const start = performance.now()
    const lasts = () => performance.now() - start < (wasOpen ? SILENT_MS : OPEN_WITHIN_MS)
    while (lasts() && violations.length === 0) {
      const records = await recordsNow(site)
      const stage = stageOf(records, commit)
      wasOpen ||= stage === 0
      const hasPassed = [...records.values()].some(
        ({ candidate, ...record }) =>
          record.commit === commit || (candidate?.commit === commit && candidate.passed !== null),
      )
      if (hasPassed || (stage ?? 0) > 0)
        violations.push("a stage passed by the health of the revision before")
      if (NODES.some((node) => shown.now(node) === commit))
        violations.push("a node showed what its stage was silent on")
      await delay(100)
    }
    signal("SIGCONT")
    await reachesEverybody(play, commit)
  } finally {
    signal("SIGCONT")
  }
  return { wasOpen, violations }
}
