import { HeadraceError } from "@headrace/shared/foundation/errors"
import { Token } from "@headrace/shared/record/record"
import { z } from "zod"
import { type Durability, syncFolder } from "./make-durable.ts"
import { formatOf } from "./manifest.ts"
import { NOTE_NAME, NOTE_PREFIX, type Store, uniqueName } from "./store.ts"

const NOTE_FORMAT = 1

/** What a projection remembers beyond its revisions. */
export const Note = z.strictObject({
  format: z.literal(NOTE_FORMAT),
  /** The largest token that was published: nothing older is, whoever asks. */
  token: Token,
  /** The largest number that was ever shown: whatever stands above it was never published. */
  number: z.int().min(0),
  /** Stay at this number until `unpin`. */
  pinned: z.strictObject({ number: z.int().min(1), reason: z.string(), since: z.string() }).nullable(),
})
export type Note = z.infer<typeof Note>

/** Of a projection that has shown nothing yet. */
export const EMPTY_NOTE: Note = { format: NOTE_FORMAT, token: { epoch: 0, seq: 0 }, number: 0, pinned: null }

/** Undefined when none was written. Throws `publish/bad-note`, `publish/newer-format`. */
export function readNote(store: Store): Note | undefined {
  const path = `${store.path}/${NOTE_NAME}`
  if (store.disk.look(path)?.kind !== "file") return undefined
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
  throw new HeadraceError("publish/bad-note", `${name} cannot be read`, {
    hint: "Remove it to go on; a pin and the smallest token that may be published are forgotten with it.",
    cause: parsed?.error,
  })
}

/** Replaces the note, durably. */
export async function writeNote(store: Store, note: Note, durability: Durability | "auto"): Promise<void> {
  const { disk } = store
  const draft = `${store.path}/${uniqueName(NOTE_PREFIX)}`
  const file = disk.createFile(draft)
  try {
    disk.write(file, Buffer.from(`${JSON.stringify(note)}\n`))
    disk.setMode(file, 0o644)
    if (durability !== "none") await disk.sync(file)
  } finally {
    disk.close(file)
  }
  disk.rename(draft, `${store.path}/${NOTE_NAME}`)
  await syncFolder(disk, store.folder, durability)
}
