import { z } from "zod"
import { canonicalJson } from "../foundation/canonical-json.ts"
import type { ConfigMap } from "../foundation/config-map.ts"
import { parseJsonAs } from "../foundation/parse-json.ts"

/** JSON: what a revision added to the store. It names the root, as the record moves on without it. */
const NEW_OBJECTS_ANNOTATION = "headrace.dev/new-objects"
/** A change of more is no small one, and its readers have more to wait for than the round trips that this saves. */
const MOST_TARGETS = 4
const MOST_OBJECTS = 8

const Digest = z.string().regex(/^[0-9a-f]{64}$/)
const Digests = z.array(Digest).max(MOST_OBJECTS)

const NewObjects = z.object({
  root: Digest,
  /** Indexes between the root and targets. */
  indexes: Digests,
  /** Of each target that the revision changed, by `namespace/name`. */
  targets: z.record(z.string(), z.object({ indexes: Digests, shards: Digests })),
})

/**
 * What a small revision added to the store, by digest. A reader of one of these targets asks for all of it at once, where
 * the root, its indexes and their shards would name one another in turn. What is asked for is verified as ever, and a
 * reader that finds this wrong or missing goes by the indexes: nothing is decided by it.
 */
export type NewObjects = z.infer<typeof NewObjects>

/** The annotation that keeps them on the record's ConfigMap; none for a revision that is no small one. */
export function newObjectsAnnotation(added: NewObjects): { [name: string]: string } {
  if (Object.keys(added.targets).length > MOST_TARGETS) return {}
  return NewObjects.safeParse(added).success ? { [NEW_OBJECTS_ANNOTATION]: canonicalJson(added) } : {}
}

/** What the newest revision that was small has added; undefined where the ConfigMap does not say. */
export function newObjectsOf({ metadata }: Pick<ConfigMap, "metadata">): NewObjects | undefined {
  return parseJsonAs(NewObjects, metadata.annotations?.[NEW_OBJECTS_ANNOTATION])
}
