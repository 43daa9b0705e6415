import { HeadraceError } from "@headrace/shared/foundation/errors"
import { expect, it } from "vitest"
import { uniqueName } from "../store/store.ts"
import { problemOf } from "./projection-status.ts"

function diskFull(name: string): HeadraceError {
  return new HeadraceError("disk/failed", `cannot write /p/..rev/${name}/manifest.json: ENOSPC`)
}

it("says since when a problem lasts, though each try fails at a name of its own", () => {
  const first = problemOf(diskFull(uniqueName(".staging-")), undefined, "08:00")
  const again = problemOf(diskFull(uniqueName(".staging-")), first, "08:10")
  expect(again.since).toBe("08:00")
  expect(again.message).not.toBe(first.message)
})

it("is another problem at another place, or of another commit", () => {
  const first = problemOf(diskFull(uniqueName(".staging-")), undefined, "08:00")
  expect(problemOf(diskFull("0042"), first, "08:10").since).toBe("08:10")
  const commit = (id: string) => new HeadraceError("disk/failed", `cannot show ${id}`)
  const shown = problemOf(commit("a".repeat(40)), undefined, "08:00")
  expect(problemOf(commit("b".repeat(40)), shown, "08:10").since).toBe("08:10")
})
