import { relative } from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * Orders test files so that no long one is left for the end, where the other workers have nothing to do. In a fresh clone
 * vitest knows no times and goes by size, but tests of whole programs, in `test/`, are short files that take long.
 */
export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) =>
      relative(this.ctx.config.root, moduleId).startsWith("test/")
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
