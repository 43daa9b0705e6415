import { expect, it } from "vitest"
import { createLog } from "./log.ts"

it("cuts secrets by the names of fields, and shows the token of a revision", () => {
  const lines: string[] = []
  const log = createLog("test", { destination: { write: (line) => lines.push(line) } })
  log.info({ token: "t-secret", login: { password: "p-secret" }, secret: Buffer.from("s") }, "first")
  log.info({ token: { epoch: 1, seq: 7 }, projection: { token: { epoch: 0, seq: 8 } } }, "second")
  log.info({ token: { epoch: 1, seq: 7, text: "o-secret" } }, "third")
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { token: "[secret]", login: { password: "[secret]" }, secret: "[secret]" },
    { token: { epoch: 1, seq: 7 }, projection: { token: { epoch: 0, seq: 8 } } },
    { token: "[secret]" },
  ])
})
