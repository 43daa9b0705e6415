/** The package's one public entry: for programs that read what an agent on their node has published. */
export { type WatchRevisionOptions, watchRevision } from "./watch-revision.ts"
export { type LeasedRevision, type WithRevisionOptions, withRevision } from "./with-revision.ts"
