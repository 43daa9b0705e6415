import type { ErrorMeanings } from "../foundation/errors.ts"

/** The codes that `command-line` declares, as docs/reference/errors.md explains them. */
export const commandLineErrors = {
  "usage/extra-argument": {
    meaning: "A command was given more words than it takes; nothing was done.",
    cause: "A value with a blank that is not quoted, or a word that belongs to another command.",
    remedy: "Remove the word, or quote the value; --help of the command lists what it takes.",
  },
  "usage/given-twice": {
    meaning: "A flag that takes one value was given two; nothing was done.",
    cause: "A script adds a flag that its caller has given already.",
    remedy: "Give the flag once.",
  },
  "usage/missing-argument": {
    meaning: "A command lacks a word that it needs; nothing was done.",
    cause: "It was left out, or a variable of a script is empty.",
    remedy: "Give it; --help of the command says what it is.",
  },
  "usage/missing-flag": {
    meaning: "A command lacks a flag that it needs; nothing was done.",
    cause: "The flag was left out, and its variable is not set or is empty.",
    remedy: "Give the flag, or its variable in the environment.",
  },
  "usage/missing-value": {
    meaning: "A flag was given without the value that it takes; nothing was done.",
    cause: "The value was left out.",
    remedy: "Give the value after the flag.",
  },
  "usage/unknown-command": {
    meaning: "The program has no such command; nothing was done.",
    cause: "A misspelt word, or a command of another of the programs.",
    remedy: "Choose one of the commands that --help lists.",
  },
  "usage/unknown-flag": {
    meaning: "The command has no such flag; nothing was done.",
    cause: "A misspelt flag, or a flag of another command.",
    remedy: "Choose one of the flags that --help of the command lists.",
  },
  "usage/wrong-value": {
    meaning: "A flag, its variable or an argument has a value that cannot be one; nothing was done.",
    cause: "Another unit or form than is expected, or a variable of a script that is empty.",
    remedy: "Give a value as --help of the command describes it.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof commandLineErrors, unknown> {}
}
