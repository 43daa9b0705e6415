import { errorMessage } from "@headrace/shared/foundation/errors"
import { expect, it } from "vitest"
import { diskError } from "./disk-error.ts"

it("leaves the errno to the cause, which says it once with what it means", () => {
  const cause = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
  const error = diskError("write", "/shown/a", cause)
  expect(error).toMatchObject({
    code: "disk/full",
    message: "cannot write /shown/a",
    fields: { errno: "ENOSPC" },
  })
  expect(errorMessage(error)).toBe("cannot write /shown/a: no space is left on the disk (ENOSPC), write")
})
