import { type Flag, flag } from "./flag.ts"

/** `--otlp-endpoint`: where a program sends traces; without it OpenTelemetry's variables count, or there are none. */
export function otlpEndpointFlag(): Flag {
  return flag(
    "--otlp-endpoint <url>",
    "where to send traces (OTLP/HTTP), such as http://collector:4318; before OTEL_EXPORTER_OTLP_ENDPOINT",
  )
}
