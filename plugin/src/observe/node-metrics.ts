import { collectDefaultMetrics, Registry } from "prom-client"

/**
 * Adds prom-client's metrics of Node (event loop, garbage collection, handles) to a registry, but for those that it has.
 * Once in a process: each call starts a monitor of its own.
 */
export function addNodeMetrics(registry: Registry): void {
  const all = new Registry()
  collectDefaultMetrics({ register: all })
  for (const { name } of all.getMetricsAsArray()) {
    const metric = all.getSingleMetric(name)
    if (metric && registry.getSingleMetric(name) === undefined) registry.registerMetric(metric)
  }
}
