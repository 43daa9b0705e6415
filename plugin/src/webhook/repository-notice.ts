import { z } from "zod"

const Renamed = z.object({
  action: z.literal("renamed"),
  changes: z.object({ repository: z.object({ name: z.object({ from: z.string() }) }) }),
  repository: z.object({ full_name: z.string() }),
})
const Transferred = z.object({
  action: z.literal("transferred"),
  repository: z.object({ full_name: z.string() }),
})
const BranchChanged = z.object({
  action: z.literal("edited"),
  changes: z.object({ default_branch: z.object({ from: z.string() }) }),
  repository: z.object({ full_name: z.string(), default_branch: z.string() }),
})

/**
 * What an operator has to know about a `repository` event: that the settings name something which is called
 * otherwise now. Nothing follows it by itself, since no payload may choose what is fetched. Undefined for
 * all other events.
 */
export function repositoryNotice(event: string, payload: unknown): string | undefined {
  if (event !== "repository") return undefined
  const renamed = Renamed.safeParse(payload)
  if (renamed.success) {
    const { repository, changes } = renamed.data
    return `repository ${changes.repository.name.from} is now ${repository.full_name}: change the source's url and repo`
  }
  const transferred = Transferred.safeParse(payload)
  if (transferred.success) {
    return `a repository is now ${transferred.data.repository.full_name}: change the source's url and repo`
  }
  const branch = BranchChanged.safeParse(payload)
  if (!branch.success) return undefined
  const { repository, changes } = branch.data
  return `the default branch of ${repository.full_name} is now ${repository.default_branch}: sources that follow ${changes.default_branch.from} stay with it until their branch is changed`
}
