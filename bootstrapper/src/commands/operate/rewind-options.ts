import type { HoldOptions } from "./hold-options.ts"

export interface RewindOptions extends Omit<HoldOptions, "commit"> {
  to: string
  rulesCommit?: string
}
