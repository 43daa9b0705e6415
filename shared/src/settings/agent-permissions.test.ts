import { describe, expect, it } from "vitest"
import { PermissionsSettings } from "./agent-permissions.ts"

describe("permissions of what an agent publishes", () => {
  it("are octal, in quotes, with set-gid for folders", () => {
    const given = { file: "0440", executable: "550", directory: "2750", uid: 0, gid: 4321 }

    expect(PermissionsSettings.parse(given)).toEqual({
      file: 0o440,
      executable: 0o550,
      directory: 0o2750,
      uid: 0,
      gid: 4321,
    })
  })

  it.each([
    [{ file: "0644" }, "no write bits"],
    [{ executable: "0775" }, "no write bits"],
    [{ file: "4555" }, "octal"],
    [{ file: 444 }, "expected string"],
    [{ directory: "0788" }, "octal"],
    [{ uid: -1 }, ">=0"],
    [{ owner: "root" }, "owner"],
  ])("refuse %j", (given, message) => {
    const { error } = PermissionsSettings.safeParse(given)

    expect(error?.message).toContain(message)
  })
})
