import { describe, expect, it } from "vitest"
import { repoOfSource } from "./repo-of-source.ts"

describe("repoOfSource", () => {
  it.each([
    ["https://github.com/openshift/release.git", "openshift/release"],
    ["https://user@github.example.com/openshift/release", "openshift/release"],
    ["git@github.com:openshift/release.git", "openshift/release"],
    ["ssh://git@github.com:22/openshift/release.git", "openshift/release"],
    ["/srv/git/release", undefined],
    ["file:///srv/git/release", undefined],
    ["../release", undefined],
  ])("reads %s as %s", (url, repo) => {
    expect(repoOfSource({ url })).toBe(repo)
  })

  it("believes the settings before the URL", () => {
    expect(repoOfSource({ url: "https://mirror.example/a/b.git", repo: "openshift/release" })).toBe(
      "openshift/release",
    )
  })
})
