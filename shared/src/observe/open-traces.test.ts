import { withCollector } from "@headrace/test/harness/with-collector"
import { describe, expect, it } from "vitest"
import { createLog } from "./log.ts"
import { openTraces } from "./open-traces.ts"
import { rootSpanId, type SpanRecord, spanIdOf } from "./traces.ts"

const log = createLog("test", { level: "silent" })
const A = "a".repeat(40)
/** The ratio's sampler goes by the XOR of a trace id's four words: 0 for A, the largest for this. */
const LARGE = "f".repeat(8) + "0".repeat(32)

function open(env: Record<string, string>, endpoint?: string) {
  return openTraces({ program: "headrace-test", version: "1.2.3", endpoint, env, log })
}

function span(commit: string, more: Partial<SpanRecord> = {}): SpanRecord {
  return { name: "headrace.webhook", commit, id: rootSpanId(commit), start: 1000, end: 2000, ...more }
}

describe("traces", () => {
  it.each([
    ["no variable and no flag", {}],
    ["OTEL_SDK_DISABLED", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTEL_SDK_DISABLED: "true" }],
    ["OTEL_TRACES_EXPORTER=none", { OTEL_EXPORTER_OTLP_ENDPOINT: "http://x", OTEL_TRACES_EXPORTER: "none" }],
    ["always_off", { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "http://x", OTEL_TRACES_SAMPLER: "always_off" }],
  ])("are off with %s", async (_, env) => {
    expect(await open(env)).toBeUndefined()
  })

  it("refuse an endpoint that is no URL", async () => {
    await expect(open({}, "collector:4318")).rejects.toMatchObject({ code: "traces/endpoint" })
  })

  it("arrive with the ids of the commit, their parents, what they are about and how they ended", () =>
    withCollector(async ({ url, spans }) => {
      const traces = await open({}, `${url}/`)
      traces?.record(span(A, { attributes: { "headrace.source": "release" } }))
      const id = spanIdOf(A, "lane")
      traces?.record(span(A, { name: "headrace.lane", id, parent: rootSpanId(A), error: "no answer" }))
      await traces?.close()
      expect(spans).toEqual([
        {
          service: "headrace-test",
          name: "headrace.webhook",
          traceId: "a".repeat(32),
          spanId: rootSpanId(A),
          parentSpanId: "",
          attributes: { "headrace.commit": A, "headrace.source": "release" },
          status: 0,
        },
        expect.objectContaining({ spanId: id, parentSpanId: rootSpanId(A), status: 2 }),
      ])
    }))

  it("are the same sample in every program, by the commit", () =>
    withCollector(async ({ url, spans }) => {
      const env = { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.8" }
      for (const parent of [undefined, spanIdOf(A, "lane")]) {
        const traces = await open(env, url)
        for (const commit of [A, LARGE]) traces?.record(span(commit, { parent }))
        await traces?.close()
      }
      expect(spans.map(({ traceId }) => traceId.slice(0, 1))).toEqual(["a", "a"])
    }))

  it("hold nothing up where no collector answers", async () => {
    const traces = await open({ OTEL_SERVICE_NAME: "mine" }, "http://127.0.0.1:1")
    traces?.record(span(A))
    await expect(traces?.close()).resolves.toBeUndefined()
  })
})
