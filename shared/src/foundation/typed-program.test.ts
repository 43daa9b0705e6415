import { expect, it } from "vitest"
import { typedAdvice, typedProgram } from "./typed-program.ts"

const CLONE = { npm_lifecycle_event: "bootstrapper", npm_package_name: "headrace" }
const NPX = { npm_lifecycle_event: "npx", npm_lifecycle_script: "'headrace-bootstrapper' 'status'" }

it.each([
  ["a script of a clone", CLONE, "npm run -s bootstrapper --"],
  ["up, which starts others", { ...CLONE, npm_lifecycle_event: "up" }, "npm run -s bootstrapper --"],
  ["npx", NPX, "npx headrace-bootstrapper"],
  ["npx of another program", { ...NPX, npm_lifecycle_script: "'vitest'" }, "headrace-bootstrapper"],
  ["a script of another package", { ...CLONE, npm_package_name: "config" }, "headrace-bootstrapper"],
  ["a shell", {}, "headrace-bootstrapper"],
])("is typed as it was started: by %s", (_, environment, typed) => {
  expect(typedProgram("headrace-bootstrapper", environment).join(" ")).toBe(typed)
})

it("changes commands in advice, and nothing else", () => {
  const advice =
    "Run headrace-bootstrapper apply; read the logs of headrace-plugin. See /opt/headrace-agent --help."
  expect(typedAdvice(advice, CLONE)).toBe(
    "Run npm run -s bootstrapper -- apply; read the logs of headrace-plugin. See /opt/headrace-agent --help.",
  )
})

it.each([CLONE, NPX, {}])("leaves a command that can be typed already", (environment) => {
  const typed = typedAdvice("Run headrace-bootstrapper apply.", environment)
  expect(typedAdvice(typed, environment)).toBe(typed)
})
