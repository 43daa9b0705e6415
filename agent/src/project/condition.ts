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

/** What cannot be examined is damage of this projection, and no reason for any other to stop. */
export async function conditionOf(
  folder: OpenProjection,
): Promise<{ condition: Condition; damage: string | undefined }> {
  try {
    const condition = await folder.examine()
    return { condition, damage: DAMAGES[condition] }
  } catch (error) {
    return { condition: "damaged", damage: `it cannot be examined: ${errorText(error)}` }
  }
}
