/**
 * What happens to a call on its way (X. Sun et al., "Automatic Reliability Testing for Cluster Management Controllers",
 * OSDI 2022: stale states, unobserved states, intermediate states), and to a writer that is slow.
 */
export type Perturbation =
  /** A read is answered as it would have been earlier: 1 is the answer before the one that is right now. */
  | { does: "stale"; ago: number }
  /** A read is answered by a server that has not seen the last so many writes. */
  | { does: "behind"; writes: number }
  /** The request never arrives, and the connection breaks. */
  | { does: "lose request" }
  /** The request takes effect, and the connection breaks. */
  | { does: "lose answer" }
  /** The request takes effect, and a load balancer answers 504. */
  | { does: "time out" }
  /** The process is killed before the request leaves. */
  | { does: "crash before" }
  /** The process is killed when the request has taken effect. */
  | { does: "crash after" }
  /** The process is paused with the request until `until` has come to its end. */
  | { does: "pause"; until: () => Promise<void> }
  /** The process is killed; its request arrives when `until` has come to its end. */
  | { does: "arrive late"; until: () => Promise<void> }
  /** A watch is refused: its version is too old (410). */
  | { does: "expire" }

/** What happens to an event of a watch. `cut`: the connection breaks inside of it; `go back`: an older version follows. */
export type EventPerturbation = "swallow" | "cut" | "go back"
