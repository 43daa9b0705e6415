import { Counter, Gauge, Histogram, type Registry } from "prom-client"

/**
 * What one metric means. Programs make their metrics of these, docs/reference/metrics.md lists them, and the tests of
 * alerts and dashboard look names and labels up in them.
 */
export interface MetricDefinition {
  type: "counter" | "gauge" | "histogram"
  /** What a value is in: `seconds`, `bytes`, `commits`, `1 or 0`. */
  unit: string
  /** What it measures; shown by `/metrics` as HELP. */
  help: string
  /** The meaning of each label's values. None grows with every merge: its series would fill Prometheus. */
  labels: Readonly<Record<string, string>>
  /** Upper bounds of a histogram's buckets, in its unit. */
  buckets?: readonly number[]
}

/** Definitions by the metric's name. */
export type MetricDefinitions = Readonly<Record<string, MetricDefinition>>

type LabelsOf<Definition extends MetricDefinition> = Extract<keyof Definition["labels"], string>

/** Makes the metrics of a set of definitions, in one registry. */
export interface MetricFactory<Definitions extends MetricDefinitions> {
  /** `collect` brings a metric up to date at each scrape; what it does not set again is gone. */
  counter<Name extends keyof Definitions & string>(
    name: Name,
    collect?: (counter: Counter<LabelsOf<Definitions[Name]>>) => void,
  ): Counter<LabelsOf<Definitions[Name]>>
  gauge<Name extends keyof Definitions & string>(
    name: Name,
    collect?: (gauge: Gauge<LabelsOf<Definitions[Name]>>) => void,
  ): Gauge<LabelsOf<Definitions[Name]>>
  histogram<Name extends keyof Definitions & string>(name: Name): Histogram<LabelsOf<Definitions[Name]>>
}

export function createMetricFactory<Definitions extends MetricDefinitions>(
  definitions: Definitions,
  registry: Registry,
): MetricFactory<Definitions> {
  const registers = [registry]
  const definitionOf = <Name extends keyof Definitions>(name: Name): Definitions[Name] => definitions[name]
  function configuration<Name extends keyof Definitions & string>(name: Name) {
    const { help, labels } = definitionOf(name)
    const labelNames = Object.keys(labels) as LabelsOf<Definitions[Name]>[]
    return { name, help, labelNames, registers }
  }
  return {
    counter: (name, collect) =>
      new Counter({ ...configuration(name), ...atScrape(definitionOf(name), collect) }),
    gauge: (name, collect) => new Gauge({ ...configuration(name), ...atScrape(definitionOf(name), collect) }),
    histogram: (name) =>
      new Histogram({ ...configuration(name), buckets: [...(definitionOf(name).buckets ?? [])] }),
  }
}

interface Resettable {
  reset(): void
  remove(): void
}

/** prom-client calls `collect` with the metric as `this`. */
function atScrape<Metric extends Resettable>(
  { labels }: MetricDefinition,
  collect: ((metric: Metric) => void) | undefined,
) {
  if (collect === undefined) return {}
  const isPlain = Object.keys(labels).length === 0
  return {
    collect(this: Metric) {
      this.reset()
      // Without labels a reset metric is 0, which would be a claim.
      if (isPlain) this.remove()
      collect(this)
    },
  }
}
