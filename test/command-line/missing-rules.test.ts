import { rulesClusters } from "@headrace/config/local/rules-clusters"
import { expect, it } from "vitest"
import { modelRepository } from "../model/model-repository.ts"

const GIVEN = { repo: "https://git.example/config", branch: "production", rules: "plugins.yaml" }

it("names the branch and the path that up looked for rules at, and what to do", async () => {
  const repository = modelRepository(new Map([["other.yaml", "a: 1"]]))
  await expect(rulesClusters(repository, GIVEN)).rejects.toMatchObject({
    code: "local/no-rules",
    message: `branch production has no plugins.yaml (commit ${repository.tip().slice(0, 12)})`,
    hint: expect.stringMatching(/^Give --rules the path of the rules inside the repository/),
  })
})

it("names the branch whose rules do not parse, with each mistake", async () => {
  const repository = modelRepository(new Map([["plugins.yaml", "config_updater: 1"]]))
  await expect(rulesClusters(repository, GIVEN)).rejects.toMatchObject({
    code: "local/bad-rules",
    message: expect.stringMatching(
      /^plugins\.yaml of branch production does not parse:\n {2}plugins\.yaml:1/,
    ),
    hint: expect.stringMatching(/^Correct the rules and commit them/),
  })
})
