import { mkdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { statusPage } from "@headrace/shared/status/status-page"
import axe from "axe-core"
import { describe, expect, it } from "vitest"
import { sampleFleet } from "../harness/sample-fleet.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { findChromium, type Look, printed, screenshot, settledHtml } from "./chromium.ts"

const browser = findChromium()
const reason = browser === undefined ? "needs chromium" : whyShort()
const SKIPPED = whySkipped(reason)
/** Where screenshots stay to be looked at; without it they go with the test. */
const KEPT = process.env.HEADRACE_SCREENSHOTS
const LIMIT = { timeout: 300_000 }

const LOOKS: readonly (Look & { name: string })[] = [
  { name: "light", scheme: "light", width: 1200, height: 1000 },
  { name: "dark", scheme: "dark", width: 1200, height: 1000 },
  { name: "phone", scheme: "light", width: 500, height: 900 },
]

describe.skipIf(reason !== undefined)(`the status page in a browser${SKIPPED}`, () => {
  it.each(["light", "dark"] as const)("has nothing that axe-core finds, in the %s scheme", LIMIT, (scheme) =>
    withFolder(async (folder) => {
      const page = join(folder, "page.html")
      await writeFile(page, withAxe(statusPage(sampleFleet(20), { refresh: false })))
      const html = await settledHtml(browser ?? "", page, scheme)
      const [, found = ""] = /<pre id="axe-result">([\s\S]*?)<\/pre>/.exec(html) ?? []
      const result = JSON.parse(
        found
          .replaceAll("&quot;", '"')
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&amp;", "&"),
      )
      expect(result.violations).toEqual([])
      expect(result.passes).toBeGreaterThan(15)
    }),
  )

  it.each(LOOKS)("is drawn: $name", LIMIT, (look) =>
    withFolder(async (folder) => {
      const page = join(folder, "page.html")
      await writeFile(page, statusPage(sampleFleet(100), { refresh: false }))
      if (KEPT !== undefined) await mkdir(KEPT, { recursive: true })
      const image = join(KEPT ?? folder, `status-${look.name}.png`)
      await screenshot(browser ?? "", page, image, look)
      expect((await stat(image)).size).toBeGreaterThan(20_000)
    }),
  )

  it("is printed on a few sheets of paper, by a reader whose screen is dark", LIMIT, () =>
    withFolder(async (folder) => {
      const page = join(folder, "page.html")
      await writeFile(page, statusPage(sampleFleet(100), { refresh: false }))
      const pdf = join(KEPT ?? folder, "status-print.pdf")
      await printed(browser ?? "", page, pdf, "dark")
      const sheets = (await readFile(pdf, "latin1")).match(/\/Type \/Page\b/g) ?? []
      expect(sheets.length).toBeGreaterThan(1)
      expect(sheets.length).toBeLessThan(6)
    }),
  )
})

/** A browser takes seconds to start, six times. */
function whyShort(): string | undefined {
  return process.env.HEADRACE_PAGE === "long" ? undefined : "the long form, npm run test:page"
}

/** The page with axe-core in it, which writes what it finds into the page. */
function withAxe(page: string): string {
  const run = `axe.run(document).then(({ violations, passes }) => {
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => ({ id, html, failureSummary })))
    const result = document.createElement("pre")
    result.id = "axe-result"
    result.textContent = JSON.stringify({ violations: found, passes: passes.length })
    document.body.append(result)
  })`
  return page.replace("</body>", () => `<script>${axe.source}</script><script>${run}</script></body>`)
}
