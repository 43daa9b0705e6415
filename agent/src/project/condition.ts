import { errorText } from "@headrace/shared/foundation/errors"
import type { Condition } from "../publish/examine.ts"
import type { OpenProjection } from "../publish/open-projection.ts"

/** What is wrong with what readers see, for people. */
export const DAMAGES: Record<Condition, string | undefined> = {
  right: undefined,
  moved: undefined,
  damaged: "parts of it are not what was published",
  elsewhere: "its folder was moved, removed or mounted over",
}

/**
 * What has become of what is shown; `shown` gives what that was, where it is settled. What cannot be examined is damage of
 * this projection, and no reason for any other to stop.
 */
export async function conditionOf(
  folder: OpenProjection,
  shown: () => { number: number } | undefined,
): Promise<{ condition: Condition; damage: string | undefined }> {
  try {
    const examined = await folder.examine()
    const condition = examined === "right" ? asShown(folder, shown()) : examined
    return { condition, damage: DAMAGES[condition] }
  } catch (error) {
    return { condition: "damaged", damage: `it cannot be examined: ${errorText(error)}` }
  }
}

/** Retention takes in what it finds: that nothing is shown any more, or another revision. Then disk is as the folder expects. */
function asShown(folder: OpenProjection, shown: { number: number } | undefined): Condition {
  const current = folder.current()
  if (shown === undefined || current?.number === shown.number) return "right"
  return current === undefined ? "damaged" : "moved"
}

/** Why an operator has pinned it; as `before` where the note cannot be read, which an examination reports. */
export function pinnedOf(folder: OpenProjection, before: string | undefined): string | undefined {
  try {
    return folder.pinned()
  } catch {
    return before
  }
}
