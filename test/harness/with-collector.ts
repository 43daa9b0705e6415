import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** A span as a collector receives it, with the name of the service that sent it. */
export interface ReceivedSpan {
  service: string
  name: string
  traceId: string
  spanId: string
  /** Empty for a root. */
  parentSpanId: string
  attributes: Record<string, string | number | boolean | undefined>
  /** 2: it failed (opentelemetry.proto.trace.v1.Status). */
  status: number
}

export interface Collector {
  /** Its base URL, as OTEL_EXPORTER_OTLP_ENDPOINT takes it. */
  url: string
  spans: ReceivedSpan[]
}

interface KeyValue {
  key: string
  value: { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean }
}

interface TracesRequest {
  resourceSpans: {
    resource: { attributes: KeyValue[] }
    scopeSpans: {
      spans: (Omit<ReceivedSpan, "service" | "attributes" | "status"> & {
        attributes: KeyValue[]
        status?: { code?: number }
      })[]
    }[]
  }[]
}

/** Runs `use` with an OTLP/HTTP receiver of JSON traces: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export async function withCollector<T>(use: (collector: Collector) => Promise<T>): Promise<T> {
  const spans: ReceivedSpan[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (request.url !== "/v1/traces") return response.writeHead(404).end()
    spans.push(...received(JSON.parse(Buffer.concat(chunks).toString()) as TracesRequest))
    return response.writeHead(200, { "content-type": "application/json" }).end("{}")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    return await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans })
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

function received({ resourceSpans }: TracesRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)["service.name"])
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId = "", attributes, status }) => ({
        ...{ service, name, traceId, spanId, parentSpanId },
        attributes: valuesOf(attributes),
        status: status?.code ?? 0,
      })),
    )
  })
}

function valuesOf(pairs: readonly KeyValue[]): ReceivedSpan["attributes"] {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue,
    ]),
  )
}
