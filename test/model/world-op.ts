import type { Admission } from "./bad-places.ts"
import type { Edit } from "./edit.ts"

/** What the world outside does. Numbers choose among what there is, modulo how many there are. */
export type WorldOp =
  /** A program of ours forgets everything and reads the settings again. */
  | { op: "restart"; program: number }
  | { op: "reload"; program: number }
  | { op: "settings"; program: number; variant: number; clash: boolean }
  | { op: "clock"; program: number; hours: number }
  /** A git read of the next process fails, the first being 0. */
  | { op: "gitFault"; read: number }
  | {
      op: "place"
      cluster: number
      namespace: number
      what: Admission | "forbidden" | "full" | "well"
    }
  | { op: "terminate"; cluster: number; target: number }
  | { op: "mark"; cluster: number; target: number }
  | { op: "forge"; cluster: number; target: number; forgery: number }
  | { op: "save"; cluster: number }
  | { op: "restore"; cluster: number }
  /** A program checks whether a record was put back. */
  | { op: "watch"; cluster: number; tools: boolean; program: number }
  | { op: "loseKey"; cluster: number; tools: boolean; key: "wake-up" | "queue" }
  | { op: "agent"; agent: number; past: boolean }
  | { op: "follow"; agent: number; cluster: number; tools: boolean }

/** Ops of the house that the world knows more of: which program does it, and what more a commit may hold. */
export type WiderOp =
  | { op: "prune"; cluster: number; tools: boolean; program: number }
  /** Commits by clocks that are behind, merged with a branch from before. */
  | { op: "skew"; commits: number; minutes: number; edits: Edit[] }
