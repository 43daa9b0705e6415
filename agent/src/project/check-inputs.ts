import { canonicalJson } from "@headrace/shared/foundation/canonical-json"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { FromSettings } from "@headrace/shared/settings/agent-sources"
import { pathUnder } from "../assemble/projected-files.ts"

/**
 * Refuses inputs of one projection that give one path as far as the settings alone show: two items for it, or one
 * source named twice. What only the contents show is found when they are read. Throws UsageError
 * `settings/same-path`.
 */
export function checkInputs(projection: string, inputs: readonly FromSettings[]): void {
  const places = inputs.flatMap(placesOf)
  const twice = places.find((place, at) => places.indexOf(place) !== at)
  if (twice === undefined) return
  throw new UsageError("settings/same-path", `projection ${projection} gives ${twice} twice`, {
    hint: "Drop one of them, or give one a folder of its own with `under`.",
  })
}

function placesOf({ items, under, configMap, live, git, folder, names }: FromSettings): string[] {
  if (items) return items.map(({ path }) => JSON.stringify(pathUnder(under, path)))
  const source =
    configMap === undefined ? canonicalJson(live ?? git ?? { folder }) : `ConfigMap ${configMap} by ${names}`
  return [`${source} at ${JSON.stringify(pathUnder(under, ""))}`]
}
