import { RECORD_FORMAT, type Record, type Token } from "./record.ts"

/** The record of a source that a cluster shows nothing of yet. `token` is what no writer may go below. */
export function newRecord(source: string, token: Token): Record {
  return {
    format: RECORD_FORMAT,
    source,
    token,
    commit: null,
    rulesCommit: null,
    rules: null,
    root: null,
    hold: null,
    approved: null,
    intents: [],
    failed: [],
    failedMore: 0,
    foreign: [],
    stopped: null,
    history: [],
  }
}
