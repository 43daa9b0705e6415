import { HeadraceError } from "@headrace/shared/foundation/errors"
import { checkQuiet } from "../model/check-quiet.ts"
import { checkRebuild } from "../model/check-rebuild.ts"
import type { Source } from "../model/model-sources.ts"
import type { Site } from "./site.ts"
import { startWriter, type Writer } from "./writer.ts"

/** One to write, one to end what the first could not, one to find nothing to do. */
const ROUNDS = 3

/** Reconciles until nothing changes any more, by a process that nothing perturbs; `writer`, or one that has just started. */
export async function settle(site: Site, sources: readonly Source[], writer?: Writer): Promise<void> {
  site.simulation.now += 1
  await withWriter(site, writer, async (one) => {
    for (let round = 0; round < ROUNDS; round++) {
      for (const source of sources) await reconciled(one, source, "incremental")
    }
  })
}

/** Throws what is not as a rebuild from scratch would make it, and what a rebuild writes all the same. */
export async function checkSettled(site: Site, sources: readonly Source[]): Promise<void> {
  for (const source of sources) await checkQuiet(site.simulation, site.cluster, source)
}

/** Throws what a rebuild of an unchanged tree writes, by a process that has just started. */
export async function checkUnchanged(site: Site, sources: readonly Source[]): Promise<void> {
  await withWriter(site, undefined, (writer) =>
    checkRebuild(site.simulation, async () => {
      for (const source of sources) await reconciled(writer, source, "full")
    }),
  )
}

async function reconciled(writer: Writer, source: Source, mode: "incremental" | "full"): Promise<void> {
  const outcome = await writer.reconcile(source, mode)
  if (outcome instanceof HeadraceError) throw outcome
}

async function withWriter(
  site: Site,
  given: Writer | undefined,
  use: (writer: Writer) => Promise<void>,
): Promise<void> {
  const writer = given ?? (await startWriter(site))
  try {
    await use(writer)
  } finally {
    if (writer !== given) writer.close()
  }
}
