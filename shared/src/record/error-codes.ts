import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `record` declares, as docs/reference/errors.md explains them. */
export const recordErrors = {
  "record/invalid": {
    meaning: "The ConfigMap with the name of a record is not one.",
    cause: "Somebody edited it, or keeps a ConfigMap of their own by that name.",
    remedy:
      "Delete it and run headrace-bootstrapper apply, which rebuilds it from its targets; move it first when it is somebody's own.",
  },
  "record/newer-format": {
    meaning: "A record was written by a newer Headrace; nothing is changed.",
    cause: "Another instance was upgraded first.",
    remedy: "Upgrade this program.",
  },
  "record/unreadable-report": {
    meaning:
      "A node's report is not written, since no program could read it; what the node shows is as before.",
    cause: "The node's clock, or a token that it was given, is beyond every number that a report may hold.",
    remedy: "Check the node's clock, and report the message with its cause.",
  },
  "store/file-too-large": {
    meaning:
      "A file in the store has more bytes than `bounds.file` of the program that reads it; what is shown stays.",
    cause: "The operator's `bounds.file` is larger than the agent's, or another program wrote the store.",
    remedy: "Make the file smaller, or raise `bounds.file` and the memory of the program.",
  },
  "store/invalid-index": {
    meaning: "An index of the store cannot be read.",
    cause: "Somebody edited the object, or a newer Headrace wrote it.",
    remedy:
      "Upgrade this program if the control plane is newer; otherwise delete the object and run headrace-bootstrapper apply.",
  },
  "store/missing": {
    meaning: "An object of the store is not there.",
    cause: "A newer revision took its place while it was read, or somebody deleted it.",
    remedy: "Wait for the next try; when it returns, run headrace-bootstrapper apply, which writes it again.",
  },
  "store/too-many-files": {
    meaning: "A target has more files than the agent's `bounds.files`; what is shown stays.",
    cause: "A rule that takes far more files than was meant, or another program wrote the store.",
    remedy: "Narrow the rule, or raise `bounds.files` and the memory of the agent.",
  },
  "store/wrong-index": {
    meaning: "An index of the store leads to one of another kind.",
    cause: "Somebody other than Headrace wrote the object.",
    remedy: "Delete the object and run headrace-bootstrapper apply.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof recordErrors, unknown> {}
}
