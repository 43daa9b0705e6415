import { sha256 } from "../foundation/digest.ts"
import { HeadraceError } from "../foundation/errors.ts"

/** `sha256:` and 64 hex digits: a content's name outside of git. */
export function contentId(content: Buffer): string {
  return `sha256:${sha256(content)}`
}

/** A file did not stay as it was while its folder was read. */
export function fileChanged(place: string, cause?: unknown): HeadraceError {
  return new HeadraceError("git/file-changed", `${place} changed while it was read`, {
    hint: "Run it again once nothing writes to the folder, or give it a git source.",
    cause,
  })
}
