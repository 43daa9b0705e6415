import { glob, readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"

const TOP = join(import.meta.dirname, "../..")

it("a test that may be skipped says why in its name, so that a run elsewhere does not fail for it", async () => {
  const silent: string[] = []
  for await (const file of glob("{shared,plugin,bootstrapper,agent,config,test}/**/*.test.ts", {
    cwd: TOP,
    exclude: ["**/node_modules/**"],
  })) {
    const text = await readFile(join(TOP, file), "utf8")
    for (const { index } of text.matchAll(/^\s*(?:it|test|describe)\.(?:skipIf|runIf)\(/gm)) {
      const title = text.slice(index, text.indexOf("=>", index))
      if (!/whySkipped|SKIPPED/.test(title))
        silent.push(`${file}:${text.slice(0, index).split("\n").length + 1}`)
    }
  }
  expect(silent).toEqual([])
})
