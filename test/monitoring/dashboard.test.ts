import { join } from "node:path"
import { expect, it } from "vitest"
import { METRICS, problemsOf, ROOT } from "./alert-rules.ts"
import { dashboardJson, dashboardQueries } from "./dashboard.ts"

it("the dashboard is the committed one (vitest run test/monitoring --update=all rewrites it)", async () => {
  await expect(dashboardJson()).toMatchFileSnapshot(join(ROOT, "config/monitoring/dashboard.json"))
})

it("each query of the dashboard names metrics that there are, by labels that they have", () => {
  for (const query of dashboardQueries()) expect(problemsOf(query), query).toEqual([])
})

it("each panel describes its metric, and the panels do not overlap", () => {
  const { panels } = JSON.parse(dashboardJson()) as {
    panels: {
      type: string
      title: string
      description?: string
      gridPos: Record<"x" | "y" | "w" | "h", number>
    }[]
  }
  const helps = Object.values(METRICS).map(({ help }) => help)
  const cells = new Set<string>()
  for (const { type, title, description, gridPos } of panels) {
    if (type !== "row") expect(helps, title).toContain(description)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), title).toBe(false)
        cells.add(`${x} ${y}`)
      }
    }
  }
})
