import { sampleFleet } from "@headrace/test/harness/sample-fleet"
import { describe, expect, it } from "vitest"
import { finding } from "./finding.ts"
import type { ClusterSourceStatus, FleetStatus } from "./fleet-status.ts"
import { statusPage } from "./status-page.ts"
import { PAGE_STYLE } from "./status-page-style.ts"

describe("statusPage", () => {
  it("stays under 50 kB for 100 clusters, some of them in trouble, without a script or anything to load", () => {
    const page = statusPage(sampleFleet(100), { refresh: true })
    expect(Buffer.byteLength(page)).toBeLessThan(50_000)
    expect(page).not.toMatch(/<script|<link|<img|src=|url\(|@import| on\w+=/)
    expect(page).toContain('<meta http-equiv="refresh" content="10">')
    expect(statusPage(sampleFleet(1), { refresh: false })).not.toContain("http-equiv")
  })

  it("shows every cluster in its source's table, findings with their command, and nodes that are not live", () => {
    const page = statusPage(sampleFleet(100), { refresh: false })
    expect(page.match(/<th scope="row">build\d+<\/th>/g)).toHaveLength(100)
    expect(page).toContain(
      "<pre><code>headrace-bootstrapper approve <span>--commit 0a1b2c3d4e5f</span> <span>--cluster build01</span></code></pre>",
    )
    expect(page).toMatch(/Nodes that are not live[\s\S]*<th scope="row">node-7<\/th>/)
  })

  it("lets nothing that a repository or a cluster named become markup", () => {
    const evil = '<script>alert("x")</script>&\u001b[31m'
    const fleet: FleetStatus = sampleFleet(2)
    const [first] = fleet.clusterSources
    const named: ClusterSourceStatus = {
      ...(first as ClusterSourceStatus),
      cluster: evil,
      findings: [
        finding("trouble", "failed", evil, { detail: evil, advice: evil, command: evil, code: evil }),
      ],
    }
    const page = statusPage({ ...fleet, clusterSources: [named] }, { refresh: false })
    expect(page).not.toContain("<script")
    expect(page).not.toContain("\u001b")
    expect(page).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;\\u001b[31m")
  })

  it.each([
    [["light"], [0]],
    [["dark"], [0, 1]],
    [["print, of a reader whose screen is light"], [0, 2]],
    [["print, of a reader whose screen is dark"], [0, 1, 2]],
  ])("has colours of enough contrast: %s", (_, used) => {
    const blocks = palettes(PAGE_STYLE)
    expect(blocks).toHaveLength(3)
    const colours = Object.assign({}, ...used.map((at) => blocks[at]))
    for (const ink of ["ink", "soft", "bad", "mind", "good"]) {
      for (const ground of ["paper", "tint"]) {
        expect(contrast(colours[ink] ?? "", colours[ground] ?? ""), `${ink} on ${ground}`).toBeGreaterThan(
          4.5,
        )
      }
    }
  })
})

function palettes(css: string): Record<string, string>[] {
  return [...css.matchAll(/:root\{([^}]*)\}/g)].map(([, block = ""]) =>
    Object.fromEntries(
      [...block.matchAll(/--(\w+):(#\w+)/g)].map(([, name = "", value = ""]) => [name, value]),
    ),
  )
}

/** WCAG 2.2, "contrast ratio". */
function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(hex: string): number {
  const digits =
    hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : hex.slice(1).match(/../g)
  const [red = 0, green = 0, blue = 0] = (digits ?? []).map((pair) => {
    const part = Number.parseInt(pair, 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
