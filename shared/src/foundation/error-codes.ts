import type { ErrorMeanings } from "./errors.ts"

/** The codes that `foundation` declares, as docs/reference/errors.md explains them. */
export const foundationErrors = {
  "http/redirected": {
    meaning:
      "A server redirects a request to another host or port, which is not followed: nothing was sent there.",
    cause:
      "The settings name an old address, a proxy asks to log in, or somebody answers in the server's place.",
    remedy: "Name the server that answers in the settings, or find out what answers in its place.",
  },
  "program/output": {
    meaning: "What the program printed could not be written in full.",
    cause: "The disk or quota behind its standard output is full, or its device failed.",
    remedy: "Make room where the output goes, and run the command again.",
  },
  "program/stopped": {
    meaning: "The program was asked to end before its work was done.",
    cause: "SIGTERM or SIGINT: a rollout, a node that drains, Ctrl-C.",
    remedy: "Run the command again; what it had written is kept and is not written twice.",
  },
  "program/unexpected": {
    meaning: "A failure that Headrace has no code for: usually a fault in Headrace itself.",
    cause: "A library or the system failed in a way that nobody foresaw.",
    remedy: "Read the message that comes with it, and report it with the log when it returns.",
  },
  "yaml/syntax": {
    meaning: "A file is not YAML of one document; nothing of it is used.",
    cause: 'Wrong indentation, an unquoted special character, a tab, or a second document after "---".',
    remedy: "Correct the file at the line and column of the message; it must hold one YAML document.",
  },
} as const satisfies ErrorMeanings

declare module "./errors.ts" {
  interface ErrorCodes extends Record<keyof typeof foundationErrors, unknown> {}
}
