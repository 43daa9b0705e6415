import type { ErrorMeanings } from "../../foundation/errors.ts"

/** The codes that `guard` declares, as docs/reference/errors.md explains them. */
export const guardErrors = {
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

declare module "../../foundation/errors.ts" {
  interface ErrorCodes extends Record<keyof typeof guardErrors, unknown> {}
}
