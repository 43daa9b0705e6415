import { expect, it } from "vitest"
import { repositoryNotice } from "./repository-notice.ts"

const repository = { full_name: "openshift/new", default_branch: "main" }

it.each([
  [
    { action: "renamed", changes: { repository: { name: { from: "old" } } }, repository },
    { repo: "openshift/old", text: expect.stringContaining("openshift/old is now openshift/new") },
  ],
  [
    { action: "transferred", changes: { owner: { from: { user: { login: "somebody" } } } }, repository },
    { repo: "somebody/new", text: expect.stringContaining("is now openshift/new") },
  ],
  [
    { action: "edited", changes: { default_branch: { from: "master" } }, repository },
    { repo: "openshift/new", text: expect.stringContaining("is now main") },
  ],
])("notifies the operator of %j", (payload, notice) => {
  expect(repositoryNotice("repository", payload)).toEqual(notice)
})

it("says nothing of other events, and of other changes", () => {
  expect(repositoryNotice("issues", { action: "renamed", repository })).toBeUndefined()
  expect(
    repositoryNotice("repository", { action: "edited", changes: { description: {} }, repository }),
  ).toBeUndefined()
  expect(repositoryNotice("repository", null)).toBeUndefined()
})
