import type { Clock } from "@headrace/shared/foundation/clock"
import { type GuardLimits, type PastDeletions, windowOf } from "@headrace/shared/gates/guard/judge-change"
import { pastAfter } from "@headrace/shared/gates/guard/past-deletions"
import type { OriginPart } from "../assemble/origin-part.ts"
import type { ProjectionSource } from "../assemble/source.ts"
import { isApproved } from "../store/origin.ts"
import { type Change, type JudgedFile, judgeLosses } from "./judge-losses.ts"

/** What a judgement compares with. */
export interface Shown {
  /** The part of each history in what is shown, by the history; empty where that is not known. */
  last: ReadonlyMap<string, OriginPart>
  /** Everything that is shown. */
  files: readonly JudgedFile[]
  /** The id that an operator lets pass. */
  approved: string | undefined
}

/** The guard's judgement of one change of a projection. */
export interface Judgement {
  /** Throws `projection/guarded` when a part takes too much of its origin away. */
  judge(part: OriginPart, sources: readonly ProjectionSource[]): void
  /**
   * The same of everything that has no counterpart: origins that the settings do not name any more, those that are new,
   * and all of them where it is not known which file is of which origin. `id` is the whole revision's.
   */
  judgeRest(id: string, parts: readonly OriginPart[], sources: readonly ProjectionSource[]): void
  /** To be called when what was judged is shown: what it deleted counts with later changes. */
  accept(): void
}

/** Judges the changes of one projection. */
export interface OriginGuard {
  begin(shown: Shown): Judgement
}

/**
 * Judges the changes of a projection, each origin's by themselves; what was deleted is remembered while it runs. Without
 * limits nothing is judged.
 */
export function createOriginGuard(path: string, limits: GuardLimits | undefined, clock: Clock): OriginGuard {
  if (limits === undefined) return { begin: () => UNGUARDED }
  return createGuard(path, limits, clock)
}

const UNGUARDED: Judgement = { judge: () => undefined, judgeRest: () => undefined, accept: () => undefined }

function createGuard(path: string, limits: GuardLimits, clock: Clock): OriginGuard {
  const past = new Map<string, readonly PastDeletions[]>()
  const REST = ""

  function begin({ last, files, approved }: Shown): Judgement {
    const sizes = new Map<string, Pick<Parameters<typeof pastAfter>[1], "size" | "approved">>()

    function judgeAs(key: string, change: Omit<Change, "path" | "past">, isAllowed: boolean): void {
      if (isAllowed) {
        sizes.set(key, { size: undefined, approved: true })
        return
      }
      const size = judgeLosses({ ...change, path, past: past.get(key) ?? [] }, limits, clock.now())
      sizes.set(key, { size, approved: false })
    }

    return {
      judge(part, sources) {
        const before = last.get(part.history)
        if (before === undefined || before.key === part.key || !sources.some(({ isGuarded }) => isGuarded))
          return
        const { revision, history } = part
        const what = sources[0]?.name ?? history
        const isWhole = last.size === 1
        const change = { what, revision, shown: before.files, wanted: part.files, isWhole }
        judgeAs(history, change, isApproved(approved, revision))
      },
      judgeRest(id, parts, sources) {
        const present = new Set(parts.map(({ history }) => history))
        const gone = [...last.values()].filter(({ history }) => !present.has(history))
        const fresh = parts.filter(({ history }) => !last.has(history))
        const isNew = ({ history, isGuarded }: ProjectionSource) => isGuarded && !last.has(history)
        const isWhole = last.size === 0 || parts.every((part) => part.files.length === 0)
        if (gone.length === 0 && !isWhole && !sources.some(isNew)) return
        if (!sources.some(({ isGuarded }) => isGuarded)) return
        const change = {
          what: parts.length === 1 ? (sources[0]?.name ?? REST) : "all its origins",
          revision: id,
          shown: isWhole ? files : gone.flatMap((part) => [...part.files]),
          wanted: fresh.flatMap((part) => [...part.files]),
          isWhole,
        }
        judgeAs(REST, change, isApproved(approved, id, ...parts.map(({ revision }) => revision)))
      },
      accept() {
        const now = clock.now()
        const window = windowOf(limits)
        const { atLeast } = limits
        for (const [key, judged] of sizes) {
          past.set(key, pastAfter(past.get(key) ?? [], { ...judged, window, atLeast, now }))
        }
      },
    }
  }

  return { begin }
}
