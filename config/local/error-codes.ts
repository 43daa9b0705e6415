// Its declarations bring the codes of `shared` along, which this package may use too.
import type {} from "@headrace/shared/error-codes"
import type { ErrorMeanings } from "@headrace/shared/foundation/errors"

/** The codes that what runs on a laptop alone declares, as docs/reference/errors.md explains them. */
export const localErrors = {
  "demo/incomplete": {
    meaning: "The demo came up without its cluster.",
    cause: "A fault in the demo.",
    remedy: "Run npm run demo again, and report it with the logs when it returns.",
  },
  "demo/refused": {
    meaning: "The plugin did not accept the demo's webhook.",
    cause: "A fault in the demo, or another program on its port.",
    remedy: "Run npm run demo again, and report it with the logs when it returns.",
  },
  "embedded-kube/refused": {
    meaning: "The API server of the demo refuses a request, as a real one would.",
    cause: "What was asked for is invalid, forbidden or in conflict.",
    remedy: "Read the message, which is that of an API server.",
  },
  "lanes/redis-server-failed": {
    meaning: "The local redis-server did not start.",
    cause: "A port that is taken, or an installation that is broken.",
    remedy: "Run redis-server by hand with --port to see why.",
  },
  "lanes/redis-server-missing": {
    meaning: "There is no redis-server on this machine.",
    cause: "It is not installed, or not on the PATH.",
    remedy:
      "Install it (apt-get install redis-server, dnf install redis, brew install redis), or set REDIS_URL.",
  },
  "local/bad-rules": {
    meaning: "The rules of the repository have mistakes, which the message lists.",
    cause: "A mistake in the file that --rules names.",
    remedy: "Correct the lines that the message lists.",
  },
  "local/cluster-name": {
    meaning: "The rules name a cluster that cannot be a folder's name.",
    cause: 'A cluster\'s name with "/" or other special characters.',
    remedy: 'Use letters, digits, "-", "_" and "." for the cluster\'s name, with a letter or digit first.',
  },
  "local/no-rules": {
    meaning: "The repository has no rules at the path given.",
    cause: "A slip in --rules, or a path that does not count from the top of the repository.",
    remedy: "Give --rules the path of the rules inside the repository.",
  },
  "local/port": {
    meaning: "The port for webhooks cannot be had; nothing was started.",
    cause: "Another program listens on it, or only root may.",
    remedy: "Give another --port, or 0 to let one be picked.",
  },
  "local/rules-path": {
    meaning: "The rules are named by a path of this machine, not by their path in the repository.",
    cause: "An absolute path, or one that begins with ./ or ../, was given to --rules.",
    remedy: "Give the path as the repository has it; the message names it where the file is in there.",
  },
  "local/state": {
    meaning: "The folder that --state names cannot be made or written.",
    cause: "It belongs to another user, or a file is where the folder goes.",
    remedy: "Give --state a folder of your own, or leave it out.",
  },
  "local/state-taken": {
    meaning: "Another up keeps its state in the same folder, or in one above it; nothing was started.",
    cause: "It was started twice, or one still runs in another terminal.",
    remedy: "Stop the other one, whose process id the message names, or give another --state.",
  },
  "local/target": {
    meaning: "The target cannot be a folder, so nothing was started.",
    cause: "It is a file, a folder above it is one, or this user may not write there.",
    remedy: "Give --target a folder of your own, or a path where one can be made.",
  },
  "local/target-taken": {
    meaning: "Another up shows a branch in the same target, or in a folder above it.",
    cause: "It was started twice, or one still runs in another terminal.",
    remedy: "Stop the other one, whose process id the message names, or give another --target.",
  },
  "local/timeout": {
    meaning: "Something that was started did not get ready in time.",
    cause: "A busy machine, or a program that failed to start.",
    remedy: "Look into the logs folder that the message names.",
  },
} as const satisfies ErrorMeanings

declare module "@headrace/shared/foundation/errors" {
  interface ErrorCodes extends Record<keyof typeof localErrors, unknown> {}
}
