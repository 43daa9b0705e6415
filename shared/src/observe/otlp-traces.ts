import { DiagLogLevel, diag, ROOT_CONTEXT, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { detectResources, envDetector, hostDetector, resourceFromAttributes } from "@opentelemetry/resources"
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type BatchSpanProcessorOptions,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace"
import { withTimeLimit } from "../foundation/time-limit.ts"
import { type SpanRecord, type TracedProgram, type Traces, traceIdOf } from "./traces.ts"

export interface OtlpTracesOptions extends TracedProgram {
  /** Where spans are posted; undefined: where OTEL_EXPORTER_OTLP_… says. */
  url: string | undefined
}

const CLOSE_MS = 3000
/** As long as a span waits for others before it is sent; OTEL_BSP_SCHEDULE_DELAY gives another. */
const BATCH_MS = 5000
const WARN_AGAIN_MS = 60_000

/**
 * Spans by OpenTelemetry's own SDK and OTLP exporter. Endpoint, headers, certificates, timeout and compression are the
 * exporter's variables, OTEL_EXPORTER_OTLP_…; OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES describe the service.
 */
export function createOtlpTraces(options: OtlpTracesOptions): Traces {
  const { program, version, env, url } = options
  reportTroubles(options)
  const ids = givenIds()
  const exporter = new OTLPTraceExporter(url === undefined ? {} : { url })
  const named = resourceFromAttributes({ "service.name": program, "service.version": version })
  const provider = new TracerProvider({
    resource: named.merge(detectResources({ detectors: [hostDetector, envDetector] })),
    sampler: samplerOf(env),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...batchOptions(env) })],
  })
  const tracer = provider.getTracer("headrace", version)

  function record(span: SpanRecord): void {
    const traceId = traceIdOf(span.commit)
    ids.next = { traceId, spanId: span.id }
    const { name, start, end, attributes = {}, parent } = span
    const traceFlags = TraceFlags.SAMPLED
    const context =
      parent === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parent, traceFlags, isRemote: true })
    const given = { "headrace.commit": span.commit, ...attributes }
    const begun = tracer.startSpan(name, { startTime: start, attributes: given }, context)
    if (span.error !== undefined) begun.setStatus({ code: SpanStatusCode.ERROR, message: span.error })
    begun.end(Math.max(start, end))
  }

  return {
    record,
    async close() {
      const late = () => new Error("the receiver of traces does not answer")
      await withTimeLimit(provider.shutdown(), CLOSE_MS, late).catch(() => undefined)
    },
  }
}

/** An IdGenerator that gives what was set before: our ids are worked out, and not drawn. */
function givenIds() {
  const given = {
    next: { traceId: "", spanId: "" },
    generateTraceId: () => given.next.traceId,
    generateSpanId: () => given.next.spanId,
  }
  return given
}

/** By the trace id alone, which the commit decides: every program keeps, or drops, the same traces. */
function samplerOf({ OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }: TracedProgram["env"]): Sampler {
  if (!OTEL_TRACES_SAMPLER?.endsWith("traceidratio")) return new AlwaysOnSampler()
  const ratio = Number(OTEL_TRACES_SAMPLER_ARG ?? "1")
  return new TraceIdRatioBasedSampler(Number.isNaN(ratio) ? 1 : ratio)
}

function batchOptions(env: TracedProgram["env"]): Omit<BatchSpanProcessorOptions, "exporter"> {
  const number = (text: string | undefined) => (text && /^\d+$/.test(text) ? Number(text) : undefined)
  const options = {
    scheduledDelayMillis: number(env.OTEL_BSP_SCHEDULE_DELAY) ?? BATCH_MS,
    exportTimeoutMillis: number(env.OTEL_BSP_EXPORT_TIMEOUT),
    maxQueueSize: number(env.OTEL_BSP_MAX_QUEUE_SIZE),
    maxExportBatchSize: number(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE),
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** What the SDK has to say goes into the log, the same kind once a minute at most. */
function reportTroubles({ log }: TracedProgram): void {
  let until = 0
  function warn(message: string, ...details: unknown[]): void {
    if (Date.now() < until) return
    until = Date.now() + WARN_AGAIN_MS
    log.warn({ err: [message, ...details].map(String).join(" ") }, "traces not sent")
  }
  const quiet = (): void => undefined
  diag.setLogger(
    { error: warn, warn, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  )
}
