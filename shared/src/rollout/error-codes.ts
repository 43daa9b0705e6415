import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `rollout` declares, as docs/reference/errors.md explains them. */
export const rolloutErrors = {
  "rollout/node-failed": {
    meaning: "A node that shows the candidate says that it fails there; the candidate is rejected.",
    cause: "An `after` check of a projection failed, or a `before` hook refused the revision.",
    remedy: "Fix the commit and merge again. Where the node was at fault: run approve --rejection.",
  },
  "rollout/node-silent": {
    meaning:
      "A node that a stage rests on was silent, or did not show the candidate in time; the candidate is rejected.",
    cause: "The node or its agent is down, or the candidate keeps the agent from publishing or reporting.",
    remedy: "Look at the node. Where the commit is not at fault: run approve --rejection.",
  },
  "rollout/check-failed": {
    meaning: "An http or prometheus check of the rollout's policy failed; the candidate is rejected.",
    cause: "What the check watches is unhealthy since the candidate is shown, or the check itself is.",
    remedy: "Fix the commit and merge again. Where the check was at fault: run approve --rejection.",
  },
  "rollout/other-policy": {
    meaning:
      "A record has a candidate or a rejection, and these settings have no stages, or others; nothing is changed.",
    cause:
      "A program runs with another file than the plugin's, or `rollout` was taken out of it in mid-rollout.",
    remedy: "Run it with the plugin's settings. To end a rollout without stages: run rewind --to COMMIT.",
  },
  "rollout/baseline-unknown": {
    meaning: "A record is lost, and no cluster, target or stamp says which commit was in force.",
    cause: "The record of the only cluster was deleted, and its rules name no ConfigMaps that carry a stamp.",
    remedy: "Run rewind --to COMMIT with the commit that is to be shown.",
  },
  "rollout/none": {
    meaning: "A word about a rollout was given where none is under way.",
    cause: "It has ended, or has not begun in this cluster.",
    remedy: "Run status to see where one is.",
  },
  "rollout/too-many-skipped": {
    meaning: "A record has no room for the names of more skipped clusters.",
    cause: "Many clusters are gone for good and still in the settings.",
    remedy: "Remove them from the settings.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof rolloutErrors, unknown> {}
}
