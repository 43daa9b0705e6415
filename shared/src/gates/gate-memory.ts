import type { Validate } from "./compile-schema.ts"

/** What gates remember between runs, as ReconcileMemory does: losing it costs time alone. */
export interface GateMemory {
  /** Compiled schemas, by content and path. */
  schemas: { get(key: string): Validate | undefined; set(key: string, validate: Validate): void }
}
