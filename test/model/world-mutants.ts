import { createReconcileMemory } from "@headrace/shared/reconcile/run/memory"
import { compareTokens } from "@headrace/shared/record/token"
import { withKube, withPorts, withRecordRead, withRepository } from "./broken-ports.ts"
import {
  bareMetadata,
  believingStamps,
  blankAsContent,
  blindToWhatIsHeld,
  countingByDates,
  forbiddenAsInvalid,
  forgettingUnread,
  keepingWarmPlans,
  keptAsSent,
  pruneByOwnPlan,
  takingAllForOurs,
  trustingOwnRecord,
  trustingVersions,
} from "./broken-world.ts"
import type { Mutant } from "./mutants.ts"
import type { Op } from "./schedule.ts"
import { SOUND } from "./subject.ts"

/** A mutant of a rule about the world outside. */
export interface WorldMutant extends Omit<Mutant, "seed" | "path"> {
  /** Ops that a search for it is led to. */
  towards: readonly Op["op"][]
}

const BEYOND_GUARD = /^Error: 6: \S+ deletes beyond the guard/
const NOT_GIVEN = /^Error: 1, not what the commit gives/
const NODE_REFUSES = /^Error: 8: a node /

/** By the fault that the code had once, or could have: each is the rule against it undone. */
export const WORLD_MUTANTS: { readonly [name: string]: WorldMutant } = {
  "the guard judges each change alone": {
    subject: withRecordRead((record) => ({ ...record, deletions: [] })),
    breaks: BEYOND_GUARD,
    towards: ["commit", "round"],
  },
  "a hold makes the guard count from its end alone": {
    subject: withRecordRead((record) => (record.hold ? { ...record, deletions: [] } : record)),
    breaks: BEYOND_GUARD,
    towards: ["commit", "round", "hold", "night"],
  },
  "the guard takes what is emptied for kept": {
    subject: withRepository(blankAsContent),
    breaks: BEYOND_GUARD,
    towards: ["commit", "round"],
  },
  "the guard sees nothing where settings have changed": {
    subject: withKube(blindToWhatIsHeld),
    breaks: BEYOND_GUARD,
    towards: ["settings", "reload", "commit"],
  },
  "the guard takes a stranger's keys for ours where settings have changed": {
    subject: withKube(takingAllForOurs),
    breaks: BEYOND_GUARD,
    towards: ["settings", "reload", "commit", "hand"],
  },
  "the guard lets pass what could not be read": {
    subject: withRecordRead(forgettingUnread),
    breaks: BEYOND_GUARD,
    towards: ["settings", "reload", "commit", "place"],
  },
  "prune goes by the plan of its own run": {
    subject: { ...SOUND, findOrphans: pruneByOwnPlan },
    breaks: /^Error: 6: .* was removed though/,
    towards: ["prune", "commit", "step"],
  },
  "failures beyond the record's room are forgotten": {
    subject: withRecordRead((record) => ({ ...record, failures: null, failedMore: 0 })),
    breaks: NOT_GIVEN,
    towards: ["place", "commit", "round"],
  },
  "refused targets are not looked for when the record was lost": {
    subject: withKube((kube) => ({ ...kube, listMetadata: async () => [] })),
    breaks: /^Error: 4: the store's/,
    towards: ["lose", "commit", "round"],
  },
  "a tree that is half known deletes": {
    subject: withRepository((repository) => ({
      ...repository,
      tree: async (...args) => ({ ...(await repository.tree(...args)), problems: [] }),
    })),
    breaks: /^Error: 4: /,
    towards: ["commit", "round"],
  },
  "a git read that fails is an empty tree": {
    subject: withRepository((repository) => ({
      ...repository,
      tree: (...args) => repository.tree(...args).catch(() => ({ files: [], problems: [] })),
    })),
    breaks: /^Error: 3: the store's/,
    towards: ["gitFault", "start"],
  },
  "counts go by dates": {
    subject: withRepository(countingByDates),
    breaks: /^Error: 6a: /,
    towards: ["skew", "round"],
  },
  "containment goes by dates": {
    subject: withRepository((repository, behind) => ({
      ...repository,
      contains: async (commit, ancestor, signal) =>
        behind.dateOf(ancestor) <= behind.dateOf(commit) && repository.contains(commit, ancestor, signal),
    })),
    breaks: /^Error: 1: stopped at \S+ by git\/diverged without that reason/,
    towards: ["skew", "round"],
  },
  "any stamp is believed": {
    subject: withPorts(believingStamps),
    breaks: /^Error: 7: /,
    towards: ["forge", "start"],
  },
  "a record that was lost is not noticed in mid-run": {
    subject: withKube(trustingOwnRecord),
    breaks: NOT_GIVEN,
    towards: ["clock", "start", "step", "lose"],
  },
  "a floor belongs to a path": {
    subject: {
      ...SOUND,
      floorOf: ({ latest, others }) => {
        const tokens = [...latest, ...others].map(({ token }) => token)
        return { token: tokens.sort(compareTokens).at(-1) ?? { epoch: 0, seq: 0 }, isStale: false }
      },
    },
    breaks: NODE_REFUSES,
    towards: ["follow", "agent", "round"],
  },
  "a record that was put back is not noticed": {
    subject: {
      ...withPorts((ports) => {
        const { known } = createReconcileMemory()
        return { ...ports, memory: { ...(ports.memory ?? createReconcileMemory()), known } }
      }),
      noteNodeTokens: async () => {},
      readRecordInForce: async () => undefined,
    },
    breaks: NODE_REFUSES,
    towards: ["save", "restore", "agent", "commit"],
  },
  "settings of any version write": {
    subject: withRecordRead((record) => ({ ...record, settings: null })),
    breaks: /^Error: 9: /,
    towards: ["settings", "start"],
  },
  "a namespace without rights fails the run": {
    subject: withKube(forbiddenAsInvalid),
    breaks: /^Error: 1: a run fails/,
    towards: ["place", "lose"],
  },
  "what others put on a target is lost": {
    subject: withKube(bareMetadata),
    breaks: /^Error: 11: \S+ lost /,
    towards: ["mark", "commit", "round"],
  },
  "a target that is being deleted is written": {
    subject: withKube((kube) => ({
      ...kube,
      async get(...args) {
        const found = await kube.get(...args)
        if (found === undefined) return undefined
        const { deletionTimestamp: _, ...metadata } = found.metadata
        return { ...found, metadata }
      },
    })),
    breaks: /^Error: 11: \S+ is being deleted/,
    towards: ["terminate", "commit", "round"],
  },
  "what a webhook changed goes unnoticed": {
    subject: withKube(keptAsSent),
    breaks: NOT_GIVEN,
    towards: ["place", "commit", "round"],
  },
  "a remembered view is trusted by its version alone": {
    subject: withPorts(trustingVersions),
    breaks: NOT_GIVEN,
    towards: ["save", "restore", "start", "commit", "hand"],
  },
  "a warm plan outlives its rules": {
    subject: withPorts(keepingWarmPlans),
    breaks: /^Error: 12: a warm plan of /,
    towards: ["commit", "start", "settings"],
  },
  "failed targets are not tried again": {
    subject: withRecordRead((record) => ({ ...record, failed: [], failures: null, failedMore: 0 })),
    breaks: /^Error: 1, listed as failed for no reason/,
    towards: ["place", "commit", "round"],
  },
}
