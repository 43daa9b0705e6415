import { expect, it } from "vitest"
import { repositoryNotice } from "./repository-notice.ts"

const repository = { full_name: "openshift/new", default_branch: "main" }

it.each([
  [
    { action: "renamed", changes: { repository: { name: { from: "old" } } }, repository },
    "old is now openshift/new",
  ],
  [{ action: "transferred", repository }, "is now openshift/new"],
  [{ action: "edited", changes: { default_branch: { from: "master" } }, repository }, "is now main"],
])("tells the operator of %j", (payload, text) => {
  expect(repositoryNotice("repository", payload)).toContain(text)
})

it("says nothing of other events, and of other changes", () => {
  expect(repositoryNotice("issues", { action: "renamed", repository })).toBeUndefined()
  expect(
    repositoryNotice("repository", { action: "edited", changes: { description: {} }, repository }),
  ).toBeUndefined()
  expect(repositoryNotice("repository", null)).toBeUndefined()
})
