import { UsageError } from "../foundation/errors.ts"
import type { TracedProgram, Traces } from "./traces.ts"

export interface OpenTracesOptions extends TracedProgram {
  /** Base URL of an OTLP/HTTP receiver, before the environment's. */
  endpoint?: string | undefined
}

/**
 * Sends traces where a flag or OpenTelemetry's standard variables name a receiver; undefined where none does. The SDK is
 * loaded only then: a program that sends none pays nothing for it. Throws UsageError `traces/endpoint` for a URL that does
 * not read, and `traces/not-installed`.
 */
export async function openTraces(options: OpenTracesOptions): Promise<Traces | undefined> {
  const { endpoint, env } = options
  if (!isOn(endpoint, env)) return undefined
  const { createOtlpTraces } = await loadSdk()
  return createOtlpTraces({ ...options, url: endpoint === undefined ? undefined : tracesUrl(endpoint) })
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
function isOn(endpoint: string | undefined, env: OpenTracesOptions["env"]): boolean {
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return false
  if (env.OTEL_TRACES_SAMPLER?.endsWith("always_off")) return false
  return [endpoint, env.OTEL_EXPORTER_OTLP_ENDPOINT, env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT].some(Boolean)
}

function tracesUrl(endpoint: string): string {
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError("traces/endpoint", `${JSON.stringify(endpoint)} is not an OTLP/HTTP endpoint`, {
      hint: "Give the base URL of a collector, such as http://collector:4318.",
    })
  }
  return `${endpoint.replace(/\/+$/, "")}/v1/traces`
}

async function loadSdk() {
  try {
    return await import("./otlp-traces.ts")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause
    throw new UsageError("traces/not-installed", "the packages of OpenTelemetry are not installed", {
      hint: "Install the optional peers that the program's package.json lists, or give no endpoint.",
      cause,
    })
  }
}
