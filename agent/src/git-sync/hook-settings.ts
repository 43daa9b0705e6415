import { atLeast, badOption, type GivenValues } from "./given-values.ts"

/** What to run after, or before, a revision is shown. Durations in milliseconds. */
export interface HookSettings {
  command: string
  timeout: number
  backoff: number
}

export interface WebhookSettings {
  url: string
  method: string
  /** The answer that counts; undefined: any. */
  status: number | undefined
  timeout: number
  backoff: number
}

const LEAST_WAIT = 1000

/** A hook of git-sync, with the durations that go by its name; undefined where no command is given. */
export function hookOf(
  read: GivenValues,
  command: string,
  name: "exechook" | "prePublishExechook",
): HookSettings | undefined {
  if (command === "") return undefined
  const timeout = read.durationAtLeast(`${name}Timeout`, LEAST_WAIT)
  const backoff = read.durationAtLeast(`${name}Backoff`, LEAST_WAIT)
  return { command, timeout, backoff }
}

/** The webhook; undefined where no URL is given. */
export function webhookOf(read: GivenValues): WebhookSettings | undefined {
  const url = read.text("webhookUrl")
  if (url === "") return undefined
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    throw badOption(
      "--webhook-url is no http:// or https:// URL",
      "Give a whole URL, such as http://localhost:9090/-/reload.",
    )
  }
  const status = read.number("webhookSuccessStatus")
  if (status < -1)
    throw badOption("--webhook-success-status must be an HTTP status or 0", "Give 200, or 0 for any answer.")
  return {
    url,
    method: read.text("webhookMethod"),
    status: status <= 0 ? undefined : status,
    timeout: atLeast("--webhook-timeout", read.duration("webhookTimeout"), LEAST_WAIT),
    backoff: atLeast("--webhook-backoff", read.duration("webhookBackoff"), LEAST_WAIT),
  }
}
