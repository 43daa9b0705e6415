import { relative } from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** In these, short files play many schedules or cut the power at every operation: they are the longest of all. */
const LONGEST = ["test/model/", "test/crash/", "test/load/", "test/consumers/"]

/**
 * Orders test files so that no long one is left for the end, where the other workers have nothing to do. In a fresh clone
 * vitest knows no times and goes by size, but tests of whole programs, in `test/`, are short files that take long.
 */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification) => {
      const path = relative(this.ctx.config.root, moduleId)
      if (LONGEST.some((folder) => path.startsWith(folder))) return 0
      return path.startsWith("test/") ? 1 : 2
    }
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}
