import { expect, it } from "vitest"
import { terminalColumns } from "./terminal-columns.ts"

it.each([
  [undefined, 80],
  [0, 80],
  [20, 40],
  [132, 132],
])("takes %s columns for %s", (columns, wide) => {
  expect(terminalColumns({ columns })).toBe(wide)
})
