import type { IncomingMessage } from "node:http"

/**
 * An entry of metadata.managedFields: who wrote the object, and when last. Which fields those are, the real server
 * says as well; nothing of ours asks.
 */
export interface ManagedFields {
  manager: string
  operation: "Update"
  apiVersion: string
  time: string
}

const MOST_MANAGERS = 10
const MOST_CHARACTERS = 128

/** The entries after a write by `manager` at `now` (milliseconds since the epoch), the latest last. */
export function managedAfter(
  before: readonly ManagedFields[],
  manager: string,
  apiVersion: string,
  now: number,
): ManagedFields[] {
  const others = before.filter((entry) => entry.manager !== manager)
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`
  return [...others, { manager, operation: "Update" as const, apiVersion, time }].slice(-MOST_MANAGERS)
}

/** Who a request says that it is: its fieldManager, otherwise the first part of its user agent, like the real server. */
export function managerOf(request: IncomingMessage, query: URLSearchParams): string {
  const agent = request.headers["user-agent"]?.split("/")[0]
  return (query.get("fieldManager") || agent || "unknown").slice(0, MOST_CHARACTERS)
}
