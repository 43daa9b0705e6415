// biome-ignore-all lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures one needs
import type { Lanes } from "@headrace/shared/lanes/open-lanes"
import { test } from "vitest"
import { withFolder } from "./with-folder.ts"
import { type TestKube, withKube } from "./with-kube.ts"
import { withLanes } from "./with-lanes.ts"
import { type TestRedis, withRedis } from "./with-redis.ts"
import { type TestRepo, withRepo } from "./with-repo.ts"

/**
 * What a test can ask for by name: `it("…", async ({ folder, lanes }) => …)`. Each is made for that test alone, in the
 * order that they need one another, only when it is asked for, and closed when the test ends.
 */
export const it = test.extend<{
  folder: string
  kube: TestKube
  repo: TestRepo
  redis: TestRedis
  lanes: Lanes
}>({
  /** An empty folder. */
  folder: async ({}, use) => await withFolder(use),
  /** An embedded API server, and a kubeconfig for it. */
  kube: async ({}, use) => await withKube(use),
  /** A git repository with a work tree, on branch main. */
  repo: async ({}, use) => await withRepo(use),
  /** A real redis-server. */
  redis: async ({}, use) => await withRedis(use),
  /** Lanes on that redis-server. */
  lanes: async ({ redis }, use) => await withLanes(redis.url, use),
})
