import type { Disk } from "@headrace/agent/disk/disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { type OpenProjection, openProjection } from "@headrace/agent/publish/open-projection"
import { withRetainedAlone } from "@headrace/agent/retain/open-retained"
import { prune } from "@headrace/agent/retain/prune"
import { pin, rollback, shownRevision, unpin } from "@headrace/agent/retain/revisions"
import type { ProjectionState } from "@headrace/agent/store/projection-state"
import type { Revision } from "@headrace/agent/store/revision"
import { readableSlots } from "@headrace/agent/store/store"
import { emptyTrash } from "@headrace/agent/store/trash"
import { hasCode } from "@headrace/shared/foundation/errors"
import { createLog } from "@headrace/shared/observe/log"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { type Lease, lostOf, takeLease } from "./leases-of-play.ts"
import { shownOn } from "./look-at-simulated.ts"
import {
  type Action,
  type Crash,
  type Interruption,
  isCrash,
  type Machine,
  type Seen,
} from "./operation-sequences.ts"
import { createProcesses } from "./processes-of-play.ts"

/** Revisions that a base has shown. */
export const BASE = 2
const NEXT = 99
const signal = new AbortController().signal
const log = createLog("test", { level: "silent" })

/** Revisions that between them keep, change, add, move and remove files. */
function revisionAt(seq: number, layout: LayoutName): Revision {
  if (layout === "file") return revisionOf(seq, { tool: `${seq}` })
  const moved = seq % 2 === 1 ? "odd/x" : "even"
  return revisionOf(seq, { a: `${seq}`, "d/b": "same", [moved]: "moved", [`n${seq}`]: "" })
}

/** The revision that an id is of. */
function seqOf(id: string): number {
  return Number(id.slice(1))
}

function agentOptions(disk: Disk, { path, layout }: Machine) {
  return projectionOptions(path, {
    disk,
    layout,
    durability: "fsync",
    keep: { revisions: BASE, age: 0, bytes: 2 ** 30 },
    lookEvery: 1_000_000,
  })
}

/** Shows two revisions on a machine, both kept. */
export async function publishBase(machine: Machine): Promise<void> {
  const agent = await openProjection(agentOptions(machine.process(), machine))
  for (let seq = 1; seq <= BASE; seq += 1) await agent.publish(revisionAt(seq, machine.layout))
  await agent.close()
}

/** What is on a machine's disk, as readers and the command line see it. */
export async function observe(machine: Machine): Promise<Seen> {
  const { path, layout } = machine
  const disk = machine.process()
  const revisions = [1, 2, 3, 4, 5, NEXT].map((seq) => revisionAt(seq, layout))
  const index = await shownOn(disk, revisions, layout, path)
  const revision = typeof index === "number" ? revisions[index] : undefined
  const place = { path, log, signal, disk }
  const { slots, note } = await withRetainedAlone(place, async ({ note, store }) => ({
    slots: readableSlots(store),
    note,
  }))
  disk.die()
  const pinned = slots.find(({ number }) => number === note.pinned?.number)
  return {
    shown: revision ? seqOf(revision.id) : -1,
    pinned: pinned && seqOf(pinned.manifest.revision),
    kept: slots.map(({ manifest }) => seqOf(manifest.revision)),
  }
}

/** A sequence at work. */
export interface Play {
  faults: string[]
  /** What the projection shows, as far as is acknowledged. */
  expected(): Seen
  /** Does an action that is no crash. True: it was interrupted before that operation of the disk. */
  act(action: Exclude<Action, Crash>, operation?: number): Promise<boolean>
  crash(kind: Crash): Promise<void>
  /** Whatever has happened, the next revision can be shown, and none that is older. */
  end(): Promise<void>
}

/**
 * Plays a sequence on a machine with a base, and gives what was wrong: a reader that sees no whole revision, an
 * acknowledged action that a crash undid, a leased revision that changed, an older revision that is published, a
 * projection that cannot go on.
 */
export async function playSequence(
  machine: Machine,
  sequence: readonly Action[],
  interruption?: Interruption,
): Promise<{ faults: string[]; isInterrupted: boolean }> {
  const play = await startPlay(machine)
  let isInterrupted = false
  for (const [at, action] of sequence.entries()) {
    if (isCrash(action)) await play.crash(action)
    else {
      const operation = interruption?.at === at + 1 ? interruption.operation : undefined
      isInterrupted = (await play.act(action, operation)) || isInterrupted
    }
  }
  await play.end()
  return { faults: play.faults, isInterrupted }
}

/** Starts an agent on a machine. */
export async function startPlay(given: Machine): Promise<Play> {
  const faults: string[] = []
  const { path, layout } = given
  const processes = createProcesses()
  const leases: Lease[] = []
  let machine = given
  let expected: Seen = { shown: BASE, pinned: undefined }
  /** What it may be instead, after an action that a crash interrupted. */
  let begun: Seen | undefined
  let published = BASE
  /** What was pruned, or perhaps: a cut may bring back its slot, which nothing synced, without all of its files. */
  const pruned = new Set<number>()
  let agent = await startAgent()

  function startAgent(): Promise<OpenProjection> {
    return openProjection(agentOptions(processes.start(machine), machine))
  }

  async function command<T>(run: (projection: ProjectionState) => Promise<T>): Promise<T> {
    return await withRetainedAlone({ path, log, signal, disk: processes.start(machine) }, run)
  }

  /** An action that fails with this code changes nothing. */
  async function refused(code: "publish/pinned" | "retain/no-revision", run: () => Promise<unknown>) {
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (processes.isDead() || (error !== undefined && !hasCode(error, code))) throw error
    if (error === undefined) faults.push(`expected ${code}`)
    return expected
  }

  const actions: Record<Exclude<Action, Crash>, () => Promise<Seen>> = {
    async publish() {
      const next = revisionAt(published + 1, layout)
      if (expected.pinned !== undefined) return await refused("publish/pinned", () => agent.publish(next))
      begun = { shown: published + 1, pinned: undefined }
      await agent.publish(next)
      published += 1
      await agent.settled()
      return begun
    },
    rollback: () =>
      command(async (projection) => {
        const number = projection.layout.shown() ?? 0
        const earlier = readableSlots(projection.store).findLast((slot) => slot.number < number)
        if (earlier === undefined)
          return await refused("retain/no-revision", () => rollback(projection, undefined, "test"))
        const seq = seqOf(earlier.manifest.revision)
        begun = { shown: seq, pinned: seq }
        return await rollback(projection, undefined, "test").then(
          () => ({ shown: seq, pinned: seq }),
          (error: unknown) => {
            if (pruned.has(seq) && hasCode(error, "retain/damaged")) return expected
            throw error
          },
        )
      }),
    pin: () =>
      command(async (projection) => {
        begun = { ...expected, pinned: expected.shown }
        await pin(projection, shownRevision(projection), "test")
        return begun
      }),
    unpin: () =>
      command(async (projection) => {
        begun = { ...expected, pinned: undefined }
        await unpin(projection)
        return begun
      }),
    prune: () =>
      command(async (projection) => {
        await prune(projection)
        await emptyTrash(projection)
        return expected
      }),
    async lease() {
      leases.push(await takeLease(machine, revisionAt(expected.shown, layout)))
      return expected
    },
  }

  async function check(when: string): Promise<void> {
    const found = await observe(machine)
    const allowed = [expected, begun ?? expected]
    const isShown = allowed.some(({ shown }) => shown === found.shown)
    const isPinned = allowed.some(({ pinned }) => pinned === found.pinned)
    if (!isShown || !isPinned)
      faults.push(`${when}: ${text(found)}, expected ${allowed.map(text).join(" or ")}`)
    expected = found
    for (let seq = 1; seq <= published; seq += 1) if (!found.kept?.includes(seq)) pruned.add(seq)
    published = Math.max(published, found.shown)
    for (const lease of leases) faults.push(...(await lostOf(lease)).map((what) => `${when}: ${what}`))
  }

  return {
    faults,
    expected: () => expected,
    async act(action, operation) {
      begun = undefined
      processes.setFuse(operation)
      try {
        expected = await actions[action]()
        begun = undefined
      } catch (error) {
        if (!processes.isDead()) faults.push(`${action}: ${messageOf(error)}`)
      }
      processes.setFuse(undefined)
      if (!processes.isDead()) await check(action)
      else if (action === "prune") for (let seq = 1; seq < expected.shown; seq += 1) pruned.add(seq)
      return processes.isDead()
    },
    async crash(kind) {
      await processes.killAll(() => agent.close())
      if (kind === "cut") {
        machine = await machine.cut()
        leases.length = 0
      }
      await check(kind)
      // What readers have seen must not change by the start of an agent, which ends a rollback that was noted.
      begun = undefined
      expected = { ...expected, shown: expected.pinned ?? expected.shown }
      try {
        agent = await startAgent()
      } catch (error) {
        faults.push(`start after ${kind}: ${messageOf(error)}`)
      }
      await check(`start after ${kind}`)
    },
    async end() {
      try {
        await command(unpin)
        const older = await agent.publish(revisionAt(published - 1, layout)).catch((error: unknown) => error)
        if (!hasCode(older, "publish/behind")) faults.push("an older revision was published")
        await agent.publish(revisionAt(NEXT, layout))
        expected = { shown: NEXT, pinned: undefined }
        await check("the next publish")
        await agent.close()
      } catch (error) {
        faults.push(`cannot go on: ${messageOf(error)}`)
      }
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function text({ shown, pinned }: Seen): string {
  return pinned === undefined ? `${shown}` : `${shown} pinned to ${pinned}`
}
