import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import { expect, it } from "vitest"

const HOW_TO = join(import.meta.dirname, "../../docs/how-to")

it("every rules file of the how-to pages parses without a problem", () => {
  const blocks = globSync("*.md", { cwd: HOW_TO }).flatMap((file) =>
    [...readFileSync(join(HOW_TO, file), "utf8").matchAll(/```yaml\n(config_updater:.*?)```/gs)].map(
      ([, text = ""]) => parseRules(text, file).problems,
    ),
  )
  expect(blocks.length).toBeGreaterThanOrEqual(5)
  expect(blocks.flat()).toEqual([])
})
