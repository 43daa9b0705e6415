import { describe, expect, it } from "vitest"
import { errorMessage, errorText, HeadraceError, UsageError } from "./errors.ts"

const REFUSED = new Error("connect ECONNREFUSED")
const LOGIN = new HeadraceError("git/auth-failed", "git fetch failed", { cause: REFUSED })
const UNREADABLE = new UsageError("settings/unreadable", "cannot read the settings", { cause: LOGIN })

describe("errorText", () => {
  it("gives the code of every error of the chain, before its message", () => {
    expect(errorText(UNREADABLE)).toBe(
      "settings/unreadable: cannot read the settings: git/auth-failed: git fetch failed: connect ECONNREFUSED",
    )
  })

  it("looks through an error that has no code to one that has", () => {
    expect(errorText(new Error("outer", { cause: LOGIN }))).toBe(
      "outer: git/auth-failed: git fetch failed: connect ECONNREFUSED",
    )
  })

  it("takes any thrown value", () => {
    expect([errorText("text"), errorText(undefined), errorText(REFUSED)]).toEqual([
      "text",
      "undefined",
      "connect ECONNREFUSED",
    ])
  })
})

describe("errorMessage", () => {
  it("leaves out the error's own code, and keeps those of its causes", () => {
    expect(errorMessage(UNREADABLE)).toBe(
      "cannot read the settings: git/auth-failed: git fetch failed: connect ECONNREFUSED",
    )
  })

  it("says what a failed system call means, with its name", () => {
    const cause = Object.assign(new Error("EACCES: permission denied, open '/a'"), { code: "EACCES" })
    expect(errorMessage(new Error("cannot open /a", { cause }))).toBe(
      "cannot open /a: permission is denied (EACCES), open '/a'",
    )
  })
})
