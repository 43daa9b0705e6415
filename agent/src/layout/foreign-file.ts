import { HeadraceError } from "@headrace/shared/foundation/errors"

/** What is at a place of ours and is not ours: `what` says in which way. */
export function foreignFile(path: string, what: string): HeadraceError {
  return new HeadraceError("publish/foreign-file", `${path} ${what} and is not ours to replace`, {
    hint: "Move it away, or project to another place. Nothing was changed.",
    fields: { path },
  })
}
