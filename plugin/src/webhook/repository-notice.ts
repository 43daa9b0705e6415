import { z } from "zod"

const Renamed = z.object({
  action: z.literal("renamed"),
  changes: z.object({ repository: z.object({ name: z.object({ from: z.string() }) }) }),
  repository: z.object({ full_name: z.string() }),
})
const OldOwner = z.object({ login: z.string() })
const Transferred = z.object({
  action: z.literal("transferred"),
  changes: z.object({
    owner: z.object({ from: z.object({ user: OldOwner.nullish(), organization: OldOwner.nullish() }) }),
  }),
  repository: z.object({ full_name: z.string() }),
})
const BranchChanged = z.object({
  action: z.literal("edited"),
  changes: z.object({ default_branch: z.object({ from: z.string() }) }),
  repository: z.object({ full_name: z.string(), default_branch: z.string() }),
})

/** What an operator has to know about a repository. */
export interface RepositoryNotice {
  /** ORG/NAME as it was until now. */
  repo: string
  text: string
}

/**
 * What an operator has to know about a `repository` event: that the settings name something which is called
 * otherwise now. Nothing follows it by itself, since no payload may choose what is fetched. Undefined for
 * all other events.
 */
export function repositoryNotice(event: string, payload: unknown): RepositoryNotice | undefined {
  if (event !== "repository") return undefined
  const renamed = Renamed.safeParse(payload)
  if (renamed.success) {
    const { repository, changes } = renamed.data
    const [owner] = repository.full_name.split("/")
    return moved(`${owner}/${changes.repository.name.from}`, repository.full_name)
  }
  const transferred = Transferred.safeParse(payload)
  if (transferred.success) {
    const { repository, changes } = transferred.data
    const { user, organization } = changes.owner.from
    const [, name] = repository.full_name.split("/")
    return moved(`${(organization ?? user)?.login ?? ""}/${name}`, repository.full_name)
  }
  const branch = BranchChanged.safeParse(payload)
  if (!branch.success) return undefined
  const { repository, changes } = branch.data
  const { from } = changes.default_branch
  const text = `the default branch of ${repository.full_name} is now ${repository.default_branch}: sources that follow ${from} stay with it until their branch is changed`
  return { repo: repository.full_name, text }
}

function moved(from: string, to: string): RepositoryNotice {
  return { repo: from, text: `repository ${from} is now ${to}: change the source's url and repo` }
}
