import type { ErrorMeanings } from "../foundation/errors.ts"

const STOPPED = "The source stopped; what is shown stays."
const LIFT =
  "Fix it on the branch, or revert the merge. If it is meant, run headrace-bootstrapper approve --gate --commit SHA."

/** The codes that `gates` declares, those of the guard among them, as docs/reference/errors.md explains them. */
export const gateErrors = {
  "gate/bad-schema": {
    meaning: `A JSON Schema that a gate names is not there at the commit, or cannot be used. ${STOPPED}`,
    cause:
      "A wrong path in the settings; a mistake in the schema, such as a keyword that JSON Schema does not have; a $ref to another document, which is not read; or patterns that take longer than half a second.",
    remedy: LIFT,
  },
  "gate/bytes": {
    meaning: `A file grows or shrinks more than the source's gate change.bytes lets pass. ${STOPPED}`,
    cause: "A generated file that holds its content twice, or lost most of it.",
    remedy: LIFT,
  },
  "gate/duplicate-name": {
    meaning: `Two job files of different folders have one name, under which Prow loads one alone and refuses both. ${STOPPED}`,
    cause: "A file was copied or added under a name that another folder has.",
    remedy: LIFT,
  },
  "gate/emptied": {
    meaning: `More values become empty than the source's gate change.emptied lets pass. ${STOPPED}`,
    cause: "A generator or a script that wrote fields or files without their content.",
    remedy: LIFT,
  },
  "gate/exec": {
    meaning: `The operator's own program refused the files of a commit. ${STOPPED}`,
    cause: "The files are wrong, as the program's output in the message says.",
    remedy: LIFT,
  },
  "gate/no-jobs": {
    meaning: `A file of Prow jobs is no mapping, or holds a second document, which Prow would ignore. ${STOPPED}`,
    cause: "A list at the top of the file, or a --- line in it.",
    remedy: LIFT,
  },
  "gate/no-program": {
    meaning: `The program of a gate is not there, or cannot be executed. ${STOPPED}`,
    cause: "It is not in the image of the plugin or the bootstrapper, or the settings name another path.",
    remedy:
      "Install it and make it executable, then run headrace-bootstrapper apply, which judges the commit again.",
  },
  "gate/not-parsed": {
    meaning: `A file is not valid YAML or JSON, though a gate requires it. ${STOPPED}`,
    cause: "A mistake in the file, at the line and column that the message names.",
    remedy: LIFT,
  },
  "gate/schema": {
    meaning: `A file is not valid under the JSON Schema that a gate names. ${STOPPED}`,
    cause: "A field that is missing, empty, misspelt or of the wrong type.",
    remedy: LIFT,
  },
  "gate/targets": {
    meaning: `A change touches a larger share of the ConfigMaps than the source's gate change.targets lets pass. ${STOPPED}`,
    cause: "A script that rewrote many files, or rules that give many ConfigMaps other files.",
    remedy: LIFT,
  },
  "gate/unjudged": {
    meaning:
      "A gate gave no verdict, so nothing was written; what is shown stays, and the next attempt judges again.",
    cause:
      "A gate's program was killed, took longer than its timeout, or wrote more than 1 MiB; or the machine was too busy.",
    remedy:
      "Wait for the next attempt. When it returns, run the program by hand over the files, or raise its timeout or memory in the settings.",
  },
  "guard/deleted-config-maps": {
    meaning:
      "A change would delete more of the ConfigMaps than the guard allows, alone or with what was deleted within the hours before. The source stopped; what is shown stays.",
    cause:
      "A merge that moves or removes many files, settings that name other rules, or a checkout that is wrong.",
    remedy: "Run headrace-bootstrapper approve --commit SHA if it is meant; otherwise revert the merge.",
  },
  "guard/deleted-keys": {
    meaning:
      "A change would delete more of the keys than the guard allows, alone or with what was deleted within the hours before. A file that becomes empty counts as deleted; one that is renamed and keeps its content does not. The source stopped; what is shown stays.",
    cause:
      "A merge that moves or removes many files, settings that name other rules, or a checkout that is wrong.",
    remedy: "Run headrace-bootstrapper approve --commit SHA if it is meant; otherwise revert the merge.",
  },
  "guard/unknown": {
    meaning:
      "It is not known what is in force: the store has lost what the record names. The source stopped; what is shown stays.",
    cause:
      "Objects of the store were deleted or damaged, while the record is lost, or the rules or settings in force cannot be read.",
    remedy:
      "Restore the objects, or run headrace-bootstrapper approve --commit SHA, which rebuilds everything from that commit.",
  },
} as const satisfies ErrorMeanings

declare module "../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof gateErrors, unknown> {}
}
