import { Counter, Registry, Summary } from "prom-client"

/** git-sync's own metrics, by its names, so that dashboards and alerts go on as they are. */
export interface SyncMetrics {
  registry: Registry
  /** A sync that ended after so many milliseconds. */
  synced(status: "success" | "noop" | "error", milliseconds: number): void
  fetched(): void
  hookRan(name: string, status: "success" | "error"): void
  askedPassword(status: "success" | "error"): void
  refreshedAppToken(status: "success" | "error"): void
}

export function createSyncMetrics(): SyncMetrics {
  const registry = new Registry()
  const registers = [registry]
  const labelNames = ["status"] as const
  const duration = new Summary({
    name: "git_sync_duration_seconds",
    help: "Summary of git_sync durations",
    labelNames,
    percentiles: [],
    registers,
  })
  const syncs = new Counter({
    name: "git_sync_count_total",
    help: "How many git syncs completed, partitioned by state (success, error, noop)",
    labelNames,
    registers,
  })
  const fetches = new Counter({
    name: "git_fetch_count_total",
    help: "How many git fetches were run",
    registers,
  })
  const hooks = new Counter({
    name: "git_sync_hook_run_count_total",
    help: "How many hook runs completed, partitioned by name and state (success, error)",
    labelNames: ["name", "status"] as const,
    registers,
  })
  const asks = new Counter({
    name: "git_sync_askpass_calls",
    help: "How many git askpass calls completed, partitioned by state (success, error)",
    labelNames,
    registers,
  })
  const refreshes = new Counter({
    name: "git_sync_refresh_github_app_token_count",
    help: "How many times the GitHub app token was refreshed, partitioned by state (success, error)",
    labelNames,
    registers,
  })
  return {
    registry,
    synced(status, milliseconds) {
      duration.observe({ status }, milliseconds / 1000)
      syncs.inc({ status })
    },
    fetched: () => fetches.inc(),
    hookRan: (name, status) => hooks.inc({ name, status }),
    askedPassword: (status) => asks.inc({ status }),
    refreshedAppToken: (status) => refreshes.inc({ status }),
  }
}
