import { compileGlob } from "@headrace/shared/foundation/compile-glob"
import { globDifferences } from "@headrace/shared/rules/glob-dialect"
import { literalFolder, literalRun } from "@headrace/shared/rules/rule-index"
import { describe, expect, it } from "vitest"

/** Glob, path, and whether Prow's matcher (go-zglob 0.0.2, run) and ours (minimatch with our options) match. */
const VERDICTS: readonly (readonly [glob: string, path: string, prow: boolean, ours: boolean])[] = [
  ["config/jobs/**/*.{yaml,yml}", "config/jobs/a.yaml", true, true],
  ["config/jobs/**/*.{yaml,yml}", "config/jobs/x/y/.hidden.yaml", true, true],
  ["config/jobs/**/*.{yaml,yml}", "config/jobs/.github/a.yml", true, true],
  ["config/jobs/**/*.{yaml,yml}", "config/jobs/x/a.YAML", false, false],
  ["config/jobs/**/*.yaml", "config/jobs/.yaml", true, true],
  [
    "ci-operator/config/**/*master*.yaml",
    "ci-operator/config/openshift/api/openshift-api-master.yaml",
    true,
    true,
  ],
  [
    "ci-operator/config/**/*release-4.1*.yaml",
    "ci-operator/config/openshift/api/openshift-api-release-4.10.yaml",
    true,
    true,
  ],
  [
    "ci-operator/config/**/*libpod-v1.*.yaml",
    "ci-operator/config/containers/libpod/containers-libpod-v1.4.yaml",
    true,
    true,
  ],
  ["ci-operator/jobs/**master**.yaml", "ci-operator/jobs/x-master-y.yaml", true, true],
  ["ci-operator/jobs/**master**.yaml", "ci-operator/jobs/a/x-master-y.yaml", false, false],
  [
    "core-services/prow/02_config/**/_prowconfig.yaml",
    "core-services/prow/02_config/_prowconfig.yaml",
    true,
    true,
  ],
  [
    "core-services/prow/02_config/**/_prowconfig.yaml",
    "core-services/prow/02_config/o/r/_prowconfig.yaml",
    true,
    true,
  ],
  [
    "core-services/release-controller/_repos/*",
    "core-services/release-controller/_repos/.gitignore",
    true,
    true,
  ],
  [
    "core-services/release-controller/_repos/*",
    "core-services/release-controller/_repos/sub/x.repo",
    false,
    false,
  ],
  ["dir/**", "dir/a", true, true],
  ["dir/**", "dir/a/b", false, true],
  ["dir/**", "dir/.a", true, true],
  ["dir/**", "dir/", true, true],
  ["dir/**", "dir", false, false],
  ["**", "a", false, true],
  ["**", "a/b", false, true],
  ["**/*", "a", false, true],
  ["**/*", "a/b", true, true],
  ["a**/b", "ab", true, false],
  ["a**/b", "ax/y/b", true, false],
  ["a**/b", "ax/b", true, true],
  ["a**/b", "a/b", true, true],
  ["x/{a,b}.yaml", "x/a.yaml", false, true],
  ["x/{a,b}.yaml", "x/{a,b}.yaml", true, false],
  ["x/*/{a,b}.yaml", "x/q/b.yaml", true, true],
  ["x/{*.yaml,*.yml}", "x/a.yaml", false, true],
  ["x/{a/*,b}.yaml", "x/a/q.yaml", false, true],
  ["x/{a,b{c,d}}*.yaml", "x/bc1.yaml", false, true],
  ["x/*{1..3}.yaml", "x/a2.yaml", false, true],
  ["x/*.{yaml}", "x/a.yaml", true, false],
  ["x/*.{yaml,}", "x/a.", true, true],
  ["x/?.yaml", "x/a.yaml", false, true],
  ["x/?*.yaml", "x/a.yaml", false, true],
  ["x/?*.yaml", "x/?a.yaml", true, true],
  ["x/[ab]*.yaml", "x/a1.yaml", false, true],
  ["x/[ab]*.yaml", "x/[ab]1.yaml", true, false],
  ["x/+(a)*.yaml", "x/aa.yaml", false, false],
  ["x/+(a)*.yaml", "x/+(a)1.yaml", true, true],
  ["!x/*.yaml", "y/a.yaml", false, false],
  ["!x/*.yaml", "!x/a.yaml", true, true],
  ["#x/*.yaml", "#x/a.yaml", true, true],
  ["./a/*.yaml", "a/x.yaml", true, false],
  ["a//b/*.yaml", "a/b/x.yaml", true, true],
  ["/a/*.yaml", "a/x.yaml", false, false],
  ["a/*/", "a/b", true, false],
  ["a/*/", "a/b/", false, true],
  ["./a/x.yaml", "a/x.yaml", false, false],
  ["*.yaml", "x.yaml", true, true],
  ["*.yaml", ".yaml", true, true],
  ["*", "a", false, true],
  ["*", ".a", true, true],
  ["*/x", "a/x", true, true],
  ["a\\*b*", "a*bc", false, true],
  ["$HOMEX/*", "$HOMEX/a", false, true],
  ["a/*", "a/é", true, true],
  ["é/*", "é/a", true, true],
  ["a b/*.yaml", "a b/x.yaml", true, true],
  ["a/x*", "a/x", true, true],
  ["a/*/b", "a//b", true, false],
  ["**/a.yaml", "a.yaml", true, true],
  ["**/*.yaml", "b/.c/d.yaml", true, true],
  ["a/**/b/**/c*", "a/b/c1", true, true],
]

/** Globs of real configurations and of Prow's documentation that both read alike. */
const ALIKE = [
  "config/prow/config.yaml",
  "config/jobs/**/*.yaml",
  "config/jobs/**/*.{yaml,yml}",
  "ci-operator/config/**/*master*.yaml",
  "ci-operator/jobs/**master**.yaml",
  "core-services/release-controller/_repos/*",
  "core-services/image-mirroring/**/mapping_*",
  "configs/{gcbuild,kaniko}-*.yaml",
  "**/a.yaml",
  "a/**/b/**/c*",
]

/** Paths that no repository has: git stores no empty part and no slash at the end. */
function isRepositoryPath(path: string): boolean {
  return path.split("/").every((part) => part !== "")
}

describe("the verdict on a path", () => {
  it.each(VERDICTS)("%s on %s is ours as documented", (glob, path, _prow, ours) => {
    expect(compileGlob(glob).match(path)).toBe(ours)
  })

  it("covers the whole table", () => {
    expect(VERDICTS).toHaveLength(67)
  })
})

describe("a warning of a difference", () => {
  const differing = new Set(
    VERDICTS.filter(([, path, prow, ours]) => prow !== ours && isRepositoryPath(path)).map(([glob]) => glob),
  )
  // Neither matcher finds a file for these two: worth saying as well.
  const hopeless = new Set(["/a/*.yaml", "./a/x.yaml"])

  it.each([...new Set(VERDICTS.map(([glob]) => glob))])("is given for %s if the matchers differ", (glob) => {
    expect(globDifferences(glob).length > 0).toBe(differing.has(glob) || hopeless.has(glob))
  })

  it.each(ALIKE)("is not given for %s", (glob) => {
    expect(globDifferences(glob)).toEqual([])
  })

  it("names each kind once", () => {
    expect(globDifferences("./x/{a}?*/").map(({ code }) => code)).toEqual([
      "rules/glob-single-brace",
      "rules/glob-special-character",
      "rules/glob-relative-path",
    ])
  })
})

describe("the folder that a glob is indexed by", () => {
  it.each([
    ["a/b/*.yaml", "a/b/"],
    ["a/b/c.yaml", "a/b/"],
    ["a/b{c,d}/e", "a/"],
    ["*", ""],
    ["a/[x]/b", "a/"],
    ["a/./b/*", ""],
    ["a/b/../*", ""],
    ["a//b/*", ""],
    ["/a/*", ""],
    ["!x/+(a)*", "!x/"],
  ])("of %s is %j", (glob, folder) => {
    expect(literalFolder(glob)).toBe(folder)
  })
})

describe("the text that a glob is looked for by", () => {
  it.each([
    ["a/**/*-release-4.1*.yaml", "-release-4.1"],
    ["a/{long,longer}*.yml", ".yml"],
    ["a/[longer]b", "a"],
    ["ab/../c", ""],
    ["a\\*b", ""],
    ["**/*", ""],
    ["x{a,{b,c}}yy{d,e}z", "x"],
  ])("of %s is %j", (glob, text) => {
    expect(literalRun(glob)).toBe(text)
  })
})
