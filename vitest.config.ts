import { defineConfig } from "vitest/config"

export default defineConfig({
  // Tests import the sources of sibling packages, never a stale build.
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    include: ["{shared,plugin,bootstrapper,agent,config,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 60_000,
    setupFiles: ["test/harness/node-version.ts"],
  },
})
