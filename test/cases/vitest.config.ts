import { defineConfig } from "vitest/config"
import project from "../../vitest.config.ts"

/** Runs the cases, which print what happens and assert nothing yet: `npm test` leaves them out. */
export default defineConfig({
  ...project,
  test: { ...project.test, include: ["test/cases/*.case.ts"], disableConsoleIntercept: true },
})
