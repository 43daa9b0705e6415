import { HeadraceError } from "@headrace/shared/foundation/errors"
import type { Log } from "@headrace/shared/observe/log"
import { Token } from "@headrace/shared/record/record"
import { z } from "zod"
import type { Handle } from "../disk/disk.ts"
import { type Durability, syncFolder } from "./make-durable.ts"
import { formatOf } from "./manifest.ts"
import { Floor, type Floors, type Origin, raiseFloors, UNNAMED_SOURCE } from "./origin.ts"
import { isOurFile, NOTE_NAME, NOTE_PREFIX, type Store, TRASH_PREFIX, uniqueName } from "./store.ts"

/** The largest that this version reads; a note without what it adds is written in format 2. */
export const NOTE_FORMAT = 3
const NOTE_MODE = 0o644

const members = {
  /** The first of `latest`'s. */
  token: Token,
  /** The largest number that was ever shown: a slot above it was never published. */
  number: z.int().min(0),
  /** Stay at this number until `unpin`. */
  pinned: z.strictObject({ number: z.int().min(1), reason: z.string(), since: z.string() }).nullable(),
}

/** A revision of the record, exactly. */
const RecordRevision = { token: Token, root: z.string() }

/** What a candidate of a rollout is tried against: it is shown again when the candidate fails, and never pruned meanwhile. */
const Baseline = z.strictObject({ ...RecordRevision, number: z.int().min(1) })
export type Baseline = z.infer<typeof Baseline>

/**
 * A candidate that failed its check here: it is not shown again while the record calls it one. The baseline's number is
 * shown in its place; null: the baseline is not on disk, and has to be read again.
 */
const Returned = z.strictObject({
  ...RecordRevision,
  number: z.int().min(1).nullable(),
  reason: z.string(),
  since: z.string(),
})
export type Returned = z.infer<typeof Returned>

const settled = {
  ...members,
  /**
   * The largest tokens that were published, or were about to be, of the newest revision's origins: nothing older of
   * these sources is ever published.
   */
  latest: z.array(Floor),
  /** The same of sources that were shown before, newest first. */
  others: z.array(Floor),
  /** The id of a revision that an operator lets pass the guard. */
  approved: z.string().nullable().prefault(null),
}

const NoteNow = z.strictObject({
  ...settled,
  format: z.literal(NOTE_FORMAT),
  baseline: Baseline.nullable(),
  returned: Returned.nullable(),
})
export type Note = z.infer<typeof NoteNow>

/** Outside of rollouts. */
const NoteSettled = z
  .strictObject({ ...settled, format: z.literal(2) })
  .transform((note): Note => ({ ...note, format: NOTE_FORMAT, baseline: null, returned: null }))

/** Format 1 knew one token, of a source that it did not name. */
const NoteBefore = z.strictObject({ ...members, format: z.literal(1) }).transform(
  (before): Note => ({
    ...before,
    format: NOTE_FORMAT,
    latest: before.number + before.token.epoch + before.token.seq > 0 ? [unnamedFloor(before.token)] : [],
    others: [],
    approved: null,
    baseline: null,
    returned: null,
  }),
)

/** What a projection remembers beyond its revisions. */
export const Note = z.union([NoteNow, NoteSettled, NoteBefore])

/** Of a projection that has shown nothing yet. */
export const EMPTY_NOTE: Note = {
  format: NOTE_FORMAT,
  token: { epoch: 0, seq: 0 },
  number: 0,
  pinned: null,
  latest: [],
  others: [],
  approved: null,
  baseline: null,
  returned: null,
}

/** The note as it is stored: in the lowest format that can say it, so that the version before reads what is at rest. */
function storedNote(note: Note): unknown {
  if (note.baseline !== null || note.returned !== null) return note
  const { baseline: _b, returned: _r, ...rest } = note
  return { ...rest, format: 2 }
}

function unnamedFloor(token: Token): Floor {
  return { source: UNNAMED_SOURCE, instance: null, token }
}

/** The format of the note that is there; undefined when none is, or none that can be read. */
export function readNoteFormat(store: Store): number | undefined {
  const file = `${store.path}/${NOTE_NAME}`
  return isOurFile(store, store.disk.look(file))
    ? formatOf(store.disk.read(file).toString("utf8"))
    : undefined
}

/** A note with the floors of a revision raised. */
export function raisedNote(note: Note, origins: readonly Omit<Origin, "revision">[]): Note {
  const { latest, others } = raiseFloors(note, origins)
  return { ...note, token: latest[0]?.token ?? note.token, latest: [...latest], others: [...others] }
}

/**
 * Undefined when none was written, or none that can be read: the revisions then say how far publishing had come,
 * and a pin, if there was one, is gone. Only damage of the disk does that to a pin, which is always synced; without
 * syncs (durability `none`) a power cut can do it to a note of publishing. Throws `publish/newer-format`.
 */
export function readNote(store: Store, log: Log): Note | undefined {
  const path = `${store.path}/${NOTE_NAME}`
  if (!isOurFile(store, store.disk.look(path))) return undefined
  const text = store.disk.read(path).toString("utf8")
  const format = formatOf(text)
  const name = `${store.folder.path}/${NOTE_NAME}`
  if (format !== undefined && format > NOTE_FORMAT) {
    throw new HeadraceError(
      "publish/newer-format",
      `${name} has format ${format}, newer than ${NOTE_FORMAT}`,
      {
        hint: "Run the version that wrote it, or a later one; what is published stays.",
      },
    )
  }
  const parsed = format === undefined ? undefined : Note.safeParse(JSON.parse(text))
  if (parsed?.success) return parsed.data
  log.error(
    { file: name, err: parsed?.error?.message ?? "not JSON" },
    "the note of what was published cannot be read; a pin, if there was one, is forgotten",
  )
  return undefined
}

/** A note with the floors of another one raised too, of which its own stay the latest. */
export function withFloors(note: Note, floors: Floors | undefined): Note {
  if (floors === undefined) return note
  const raised = raisedNote(raisedNote(note, floors.others), floors.latest)
  return note.latest.length === 0 ? raised : raisedNote(raised, note.latest)
}

/** A note that is written and not in force yet. */
export interface NoteDraft {
  path: string
  file: Handle
}

/** Writes a note beside the one in force. The caller syncs and closes its file, then places it. */
export function draftNote({ disk, work }: Store, note: Note): NoteDraft {
  const draft = `${work.path}/${uniqueName(NOTE_PREFIX)}`
  const file = disk.createFile(draft)
  try {
    disk.write(file, Buffer.from(`${JSON.stringify(storedNote(note))}\n`))
    disk.setMode(file, NOTE_MODE)
  } catch (error) {
    disk.close(file)
    throw error
  }
  return { path: draft, file }
}

/** Puts a draft in force; durable with the next sync of the store's folder. */
export function placeNote({ disk, path, work }: Store, draft: NoteDraft): void {
  // No rename replaces a folder by a file.
  if (disk.look(`${path}/${NOTE_NAME}`)?.kind === "directory")
    disk.rename(`${path}/${NOTE_NAME}`, `${work.path}/${uniqueName(TRASH_PREFIX)}`)
  disk.rename(draft.path, `${path}/${NOTE_NAME}`)
}

/** Replaces the note, durably. */
export async function writeNote(store: Store, note: Note, durability: Durability | "auto"): Promise<void> {
  const { disk } = store
  const draft = draftNote(store, note)
  try {
    if (durability !== "none") await disk.sync(draft.file)
  } finally {
    disk.close(draft.file)
  }
  placeNote(store, draft)
  await syncFolder(disk, store.folder, durability)
}
