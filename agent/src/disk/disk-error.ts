import { type ErrorCode, HeadraceError } from "@headrace/shared/foundation/errors"

const KINDS: Record<string, { code: ErrorCode; hint: string }> = {
  ENOSPC: { code: "disk/full", hint: "Free bytes or inodes there (df, df -i), or lower keep." },
  EDQUOT: { code: "disk/full", hint: "Raise the quota, or lower keep." },
  EROFS: {
    code: "disk/read-only",
    hint: "Mount it writable; after an I/O error the kernel remounts read-only.",
  },
  EACCES: { code: "disk/denied", hint: "Give the user that this program runs as write access." },
  EPERM: { code: "disk/denied", hint: "Give the user that this program runs as write access." },
  ENOTDIR: { code: "disk/not-a-folder", hint: "Give a path where no file is in the way of a folder." },
  EEXIST: { code: "disk/not-a-folder", hint: "Give a path where no file is in the way of a folder." },
  ENOENT: {
    code: "disk/failed",
    hint: "Give a path where a folder can be made; nothing published was changed.",
  },
  EXDEV: { code: "disk/other-file-system", hint: "Keep the projection and its store on one file system." },
  ENOSYS: { code: "disk/unsupported", hint: "Install koffi, or use layout links." },
  EINVAL: { code: "disk/unsupported", hint: "Use layout links: this file system cannot do that (NFS?)." },
  EBUSY: { code: "disk/busy", hint: "Project to a folder inside the mount, if this is a mount point." },
}

/** An error with a code of its kind, that names operation and path; the cause says why, and `fields` has the errno's name. */
export function diskError(operation: string, path: string, cause: unknown): HeadraceError {
  const errno = errnoOf(cause)
  const kind = KINDS[errno] ?? {
    code: "disk/failed" as const,
    hint: "See the cause; nothing published was changed.",
  }
  return new HeadraceError(kind.code, `cannot ${operation} ${path}`, {
    hint: kind.hint,
    fields: { operation, path, errno },
    cause,
  })
}

/** `ENOSPC` and the like; `unknown` for anything else. */
export function errnoOf(error: unknown): string {
  if (error instanceof HeadraceError && typeof error.fields.errno === "string") return error.fields.errno
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code
  return "unknown"
}
