// Its declarations bring the codes of `shared` along, which this package may use too.
import type {} from "@headrace/shared/error-codes"
import type { ErrorMeanings } from "@headrace/shared/foundation/errors"

/** The codes that the plugin declares, as docs/reference/errors.md explains them. */
export const pluginErrors = {
  "github/credentials": {
    meaning: "The credentials for GitHub cannot be read.",
    cause: "A wrong path, an empty file, or a secret that is not mounted.",
    remedy: "Check the path in the settings, and that the file holds a token or a private key.",
  },
  "github/unconfirmed": {
    meaning: "Redis named many merges that GitHub does not know. Reports of merges wait.",
    cause: "Another program writes into this Redis, or a pull request's repository was moved.",
    remedy: "Find out who else may write there, and give that program another user, or another Redis.",
  },
  "plugin/drain": {
    meaning: "The time to drain cannot be read.",
    cause: "A number without its unit.",
    remedy: "Give --drain a duration such as 5s.",
  },
  "plugin/settings-interval": {
    meaning: "The interval at which the settings are read cannot be used.",
    cause: "A number without its unit, or nothing.",
    remedy: "Give --settings-interval a duration such as 2s.",
  },
  "plugin/webhook-path": {
    meaning: "The path for webhooks is one of the plugin's own pages.",
    cause: "webhook.path is /healthz, /readyz, /metrics, /status or /help.",
    remedy: "Choose another webhook.path, such as /hook.",
  },
  "webhook/body-cut": {
    meaning: "The sender went away in the middle of the body.",
    cause: "A connection that broke, or a sender that gave up.",
    remedy: "Send the delivery again from the webhook's page on GitHub when it was one; otherwise ignore it.",
  },
  "webhook/body-too-large": {
    meaning: "The body of a request is larger than the plugin takes.",
    cause: "Not a delivery of GitHub, whose payloads end at 25 MB.",
    remedy: "Check who sends it; the log has the address.",
  },
  "webhook/no-room": {
    meaning: "Too many large bodies at once: the sender gets 503.",
    cause: "A burst of large deliveries, or an attack.",
    remedy: "Send the delivery again later; limit who may reach the webhook when it returns.",
  },
  "webhook/secret": {
    meaning: "A secret of the webhook cannot be read.",
    cause: "A wrong path, an empty file, or a secret that is not mounted.",
    remedy: "Write the secret that the webhook has on GitHub into the file.",
  },
  "plugin/schedule": {
    meaning: "--schedule is no cron pattern; the plugin does not start.",
    cause: "A word such as hourly, or another number of fields than five or six.",
    remedy: 'Give a pattern in UTC, such as "0 * * * *" for every hour.',
  },
} as const satisfies ErrorMeanings

declare module "@headrace/shared/foundation/errors" {
  interface ErrorCodes extends Record<keyof typeof pluginErrors, unknown> {}
}
