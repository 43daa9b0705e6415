import type { Edit } from "./edit.ts"
import type { Op, Schedule } from "./schedule.ts"

// One short schedule for each mutant of the world outside: it shows the broken rule, and sound code holds it.

/** Every cluster looks at every source, by programs that have just started. */
const ROUND: Op = { op: "round" }
const FINISH: Op = { op: "finish", worker: 0 }

/** Edits are pairs of a path and what becomes of it (schedule.ts). */
function commit(edits: readonly (readonly [path: number, content: number])[], rules = -1): Op {
  return { op: "commit", edits: edits.map(([path, content]): Edit => ({ path, content })), rules }
}

function start(program: number, full = false): Op {
  return { op: "start", cluster: 0, tools: false, full, program }
}

function place(what: Extract<Op, { op: "place" }>["what"], namespace = 0): Op {
  return { op: "place", cluster: 0, namespace, what }
}

function settings(variant: number): Op {
  return { op: "settings", program: 0, variant, clash: false }
}

function steps(count: number): Op {
  return { op: "step", worker: 0, gate: 0, count, fault: "none" }
}

export const CAUGHT: { readonly [mutant: string]: Schedule } = {
  "the guard judges each change alone": [
    ROUND,
    commit([[0, -1]]),
    ROUND,
    commit([[3, -1]]),
    ROUND,
    commit([[1, -1]]),
    ROUND,
  ],
  "a hold makes the guard count from its end alone": [
    ROUND,
    commit([[0, -1]]),
    ROUND,
    commit([[3, -1]]),
    ROUND,
    { op: "hold", cluster: 0, tools: false, back: 0 },
    FINISH,
    commit([[1, -1]]),
    { op: "night", cluster: 0 },
    ROUND,
  ],
  "the guard takes what is emptied for kept": [
    ROUND,
    commit([
      [0, -4],
      [1, -4],
      [3, -4],
    ]),
    ROUND,
  ],
  "the guard sees nothing where settings have changed": [ROUND, settings(3), start(0), FINISH],
  "the guard takes a stranger's keys for ours where settings have changed": [
    commit([
      [5, 0],
      [0, 0],
    ]),
    ROUND,
    settings(1),
    { op: "hand", cluster: 0, target: 0, what: "stray" },
    commit([[7, 1]], 2),
    start(0),
    FINISH,
  ],
  "the guard lets pass what could not be read": [
    ROUND,
    settings(1),
    place("forbidden", 1),
    commit([
      [3, -1],
      [4, -1],
      [0, -1],
    ]),
    start(0),
    FINISH,
    place("well", 1),
    start(0, true),
    FINISH,
  ],
  "prune goes by the plan of its own run": [
    ROUND,
    commit([[6, 0]], 2),
    { op: "prune", cluster: 0, tools: false, program: 0 },
    steps(10),
    steps(7),
    commit([[3, 3]], 0),
    start(3),
    { op: "finish", worker: 1 },
    FINISH,
  ],
  "failures beyond the record's room are forgotten": [
    ROUND,
    place("forbidden", 1),
    commit([[6, 0]], 6),
    ROUND,
    place("well", 1),
  ],
  "refused targets are not looked for when the record was lost": [
    ROUND,
    { op: "lose", cluster: 0, tools: false },
    commit([[0, -3]]),
    ROUND,
  ],
  "a tree that is half known deletes": [ROUND, commit([[0, -3]]), ROUND],
  "a git read that fails is an empty tree": [{ op: "gitFault", read: 3 }, start(0), FINISH],
  "counts go by dates": [
    ROUND,
    { op: "skew", commits: 8, minutes: 60, edits: [{ path: 0, content: 3 }] },
    ROUND,
  ],
  "containment goes by dates": [
    ROUND,
    { op: "skew", commits: 8, minutes: 60, edits: [{ path: 0, content: 3 }] },
    ROUND,
  ],
  "any stamp is believed": [
    ROUND,
    { op: "forge", cluster: 0, target: 0, forgery: 3 },
    start(0, true),
    FINISH,
    start(0, true),
    FINISH,
  ],
  "a record that was lost is not noticed in mid-run": [
    { op: "clock", program: 2, hours: 960 },
    start(2),
    FINISH,
    commit([[0, 3]]),
    start(2),
    steps(9),
    { op: "lose", cluster: 0, tools: false },
    commit([[0, 2]]),
    start(0),
    { op: "finish", worker: 1 },
  ],
  "a floor belongs to a path": [
    ROUND,
    commit([[0, 2]]),
    commit([[0, 3]]),
    commit([[0, 1]]),
    ROUND,
    { op: "agent", agent: 0, past: false },
    { op: "follow", agent: 0, cluster: 0, tools: true },
  ],
  "a record that was put back is not noticed": [
    ROUND,
    { op: "save", cluster: 0 },
    { op: "rewind", cluster: 0, tools: false, back: 0 },
    FINISH,
    ROUND,
    { op: "agent", agent: 0, past: false },
    { op: "restore", cluster: 0 },
  ],
  "settings of any version write": [ROUND, settings(1), start(0), FINISH, commit([[0, 3]]), start(1), FINISH],
  "a namespace without rights fails the run": [place("forbidden")],
  "what others put on a target is lost": [
    ROUND,
    { op: "mark", cluster: 0, target: 0 },
    commit([[0, 3]]),
    ROUND,
  ],
  "a target that is being deleted is written": [
    ROUND,
    { op: "terminate", cluster: 0, target: 0 },
    commit([[0, 3]]),
    ROUND,
  ],
  "what a webhook changed goes unnoticed": [ROUND, place("value"), commit([[1, 3]]), ROUND, place("well")],
  "a remembered view is trusted by its version alone": [
    ROUND,
    { op: "save", cluster: 0 },
    commit([[0, 1]]),
    start(0),
    FINISH,
    { op: "restore", cluster: 0 },
    commit([[0, 2]]),
    start(3),
    FINISH,
    commit([[0, 1]]),
    start(0),
    FINISH,
  ],
  "a warm plan outlives its rules": [start(0), FINISH, commit([[0, 3]], 4), start(0), FINISH],
  "failed targets are not tried again": [
    ROUND,
    place("forbidden", 1),
    commit([[3, 3]]),
    ROUND,
    place("well", 1),
  ],
}

/** What sound code must hold, and a narrower idea of a promise took for broken. */
export const HELD: { readonly [what: string]: Schedule } = {
  "a record in an epoch far ahead is lost, and what targets show of it is not believed": [
    { op: "clock", program: 2, hours: 960 },
    start(2, true),
    FINISH,
    { op: "lose", cluster: 0, tools: false },
  ],
  "a source is detached whose record is lost, and begins again with a target that is not known": [
    ROUND,
    commit([
      [0, -3],
      [1, 0],
    ]),
    { op: "lose", cluster: 0, tools: false },
    { op: "detach", cluster: 0, tools: false, back: 0 },
  ],
  "a cluster goes back to before a record was lost, and a node has shown the one that came after": [
    ROUND,
    { op: "save", cluster: 0 },
    { op: "lose", cluster: 0, tools: false },
    ROUND,
    { op: "agent", agent: 0, past: false },
    { op: "restore", cluster: 0 },
    { op: "reload", program: 0 },
  ],
  "a cluster goes back to before a record was lost that a clock far ahead had begun": [
    { op: "clock", program: 2, hours: 960 },
    start(2, true),
    FINISH,
    { op: "agent", agent: 0, past: false },
    { op: "save", cluster: 0 },
    { op: "lose", cluster: 0, tools: false },
    ROUND,
    { op: "agent", agent: 0, past: false },
    { op: "restore", cluster: 0 },
    { op: "reload", program: 0 },
  ],
  "settings change while a ConfigMap is there that no rule in force names, and a commit names it again": [
    ROUND,
    commit([[0, 0]], 3),
    start(0),
    FINISH,
    settings(1),
    { op: "revert", back: 0 },
    start(0, true),
    FINISH,
  ],
  "a rewind is carried out after its hold has come to an end": [
    { op: "rewind", cluster: 0, tools: false, back: 0 },
    ROUND,
    { op: "rewrite", back: 0, commits: [[{ path: 0, content: -4 }]] },
    ROUND,
    {
      op: "foxtrot",
      back: 0,
      edits: [
        { path: 3, content: -4 },
        { path: 0, content: -1 },
      ],
    },
    { op: "night", cluster: 0 },
    commit([[1, 0]], 0),
    FINISH,
  ],
  "a webhook takes our label and a stranger changes the stamp, so that nothing says whose the target is": [
    place("labels"),
    ROUND,
    { op: "forge", cluster: 0, target: 0, forgery: 5 },
  ],
  "a webhook adds a key to what an operator adopts, which only a rebuild sees": [
    { op: "adopt", cluster: 0, tools: false, back: 1 },
    ROUND,
    place("key", 1),
    commit([[0, 0]]),
  ],
  "what was begun under other settings stays open where the guard refuses it, though the branch was rewritten":
    [
      start(0, true),
      FINISH,
      start(0, true),
      settings(3),
      { op: "skew", commits: 1, minutes: 0, edits: [{ path: 0, content: 0 }] },
      steps(1),
      { op: "hand", cluster: 0, target: 0, what: "edit" },
      steps(4),
      { op: "rewrite", back: 1, commits: [] },
    ],
  "a record is lost while work is begun, and a target that this would have changed is not known after it": [
    ROUND,
    start(0, true),
    commit([[1, 0]]),
    steps(10),
    { op: "lose", cluster: 0, tools: false },
    { op: "step", worker: 0, gate: 5, count: 13, fault: "conflict" },
    commit([[0, -3]], 0),
  ],
  "a cluster goes back to a stamp that a stranger had changed before its source was given up": [
    ROUND,
    { op: "forge", cluster: 1, target: 0, forgery: 3 },
    { op: "save", cluster: 1 },
    { op: "detach", cluster: 1, tools: false, back: 0 },
    FINISH,
    { op: "restore", cluster: 1 },
    commit([[0, 0]], 0),
  ],
  "a hold goes back on begun work, and settings that delete everything follow": [
    ROUND,
    { op: "settings", program: 0, variant: 3, clash: true },
    { op: "start", cluster: 0, tools: false, full: true, program: 1 },
    { op: "hold", cluster: 0, tools: false, back: 0 },
    { op: "drop", which: 0 },
    commit([[0, 0]]),
    { op: "gitFault", read: 0 },
    { op: "step", worker: 0, gate: 0, count: 6, fault: "conflict" },
  ],
}
