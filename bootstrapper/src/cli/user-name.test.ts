import { expect, it } from "vitest"
import { userName } from "./user-name.ts"

it("names the user by number where the user has no name, as in a container", () => {
  function nobody(): never {
    throw new Error("uv_os_get_passwd returned ENOENT")
  }

  expect(userName(nobody)).toBe(`uid ${process.getuid?.()}`)
  expect(userName(() => ({ username: "ada" }))).toBe("ada")
})
