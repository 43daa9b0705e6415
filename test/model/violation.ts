/** What a write broke: the number of the invariant (docs/architecture.md#invariants) and what happened. */
export class Violation extends Error {}
