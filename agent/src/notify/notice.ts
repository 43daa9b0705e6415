import type { Token } from "@headrace/shared/record/record"
import { tokenText } from "@headrace/shared/record/token"

/** The notice to a consumer: this revision is published, durably, at this path. */
export interface Notice {
  /** Name of the projection. */
  projection: string
  path: string
  /** The commit, or a digest where there is none. */
  revision: string
  token: Token
}

/** The notice as environment variables of a hook. */
export function noticeEnvironment(notice: Notice): Record<string, string> {
  return {
    HEADRACE_PROJECTION: notice.projection,
    HEADRACE_PATH: notice.path,
    HEADRACE_REVISION: notice.revision,
    HEADRACE_TOKEN: tokenText(notice.token),
  }
}

/** The notice as headers of a call. */
export function noticeHeaders(notice: Notice): Record<string, string> {
  return {
    "headrace-projection": encodeURIComponent(notice.projection),
    "headrace-revision": notice.revision,
    "headrace-token": tokenText(notice.token),
  }
}
