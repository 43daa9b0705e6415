/** How the watch of the API server is doing. */
export interface WatchStatus {
  /** When the server was last heard from, milliseconds since the epoch; undefined: never. */
  heard?: number | undefined
  /** What keeps the API server from being read now. */
  problem?: string | undefined
  /** What is wrong with the record that was read. */
  record?: string | undefined
}
