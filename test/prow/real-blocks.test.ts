import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { planTargets } from "@headrace/shared/plan/plan-targets"
import { globDifferences } from "@headrace/shared/rules/glob-dialect"
import { parseRules } from "@headrace/shared/rules/parse-rules"
import type { RuleSet } from "@headrace/shared/rules/rule"
import { describe, expect, it } from "vitest"
import { rulesExcerpt } from "../harness/test-data.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { codesOf, type Shown, shown, treeOf } from "./plan-case.ts"

interface RealBlock {
  file: string
  rules: number
  /** Codes of what deserves a warning: fields that Prow no longer reads, groups without effect. */
  warnings?: string[]
  files: string[]
  expect: Shown
}

const BLOCKS: RealBlock[] = [
  {
    file: "kubernetes-test-infra",
    rules: 5,
    files: ["config/jobs/a.yml", "config/jobs/k/x/b.yaml", "config/jobs/README.md", "label_sync/labels.yaml"],
    expect: {
      "k8s-infra-prow-build-trusted/test-pods/label-config": { "labels.yaml": "label_sync/labels.yaml" },
      "test-infra-trusted/default/config": {},
      "test-infra-trusted/default/job-config": {
        "a.yml": "config/jobs/a.yml (gzip)",
        "b.yaml": "config/jobs/k/x/b.yaml (gzip)",
      },
      "test-infra-trusted/default/plugins": {},
      "test-infra-trusted/default/test-configmap": {},
      "test-infra-trusted/test-pods/label-config": { "labels.yaml": "label_sync/labels.yaml" },
    },
  },
  {
    file: "openshift-release-2020",
    rules: 9,
    files: [
      "ci-operator/config/o/a/o-a-release-4.10.yaml",
      "ci-operator/jobs/x-master-y.yaml",
      "ci-operator/jobs/o/x-master.yaml",
    ],
    expect: {
      ...Object.fromEntries(
        ["api.ci", "app.ci", "build01"].flatMap((cluster) =>
          ["master", "4.5", "misc"].map((name) => [`${cluster}/ci/ci-operator-${name}-configs`, {}]),
        ),
      ),
      ...Object.fromEntries(
        ["api.ci", "app.ci", "build01"].map((cluster) => [
          `${cluster}/ci/ci-operator-4.1-configs`,
          { "o-a-release-4.10.yaml": "ci-operator/config/o/a/o-a-release-4.10.yaml" },
        ]),
      ),
      "app.ci/ci/job-config-master": { "x-master-y.yaml": "ci-operator/jobs/x-master-y.yaml" },
    },
  },
  {
    file: "gardener-ci-infra",
    rules: 4,
    files: ["config/prow/webserver-static-files/.hidden", "config/jobs/ci.yaml"],
    expect: {
      "gardener-prow-trusted/prow/config": {},
      "gardener-prow-trusted/prow/job-config": { "ci.yaml": "config/jobs/ci.yaml (gzip)" },
      "gardener-prow-trusted/prow/plugins": {},
      "gardener-prow-trusted/prow/webserver-static-files": {
        ".hidden": "config/prow/webserver-static-files/.hidden",
      },
    },
  },
  {
    file: "falcosecurity-test-infra",
    rules: 3,
    files: ["config/config.yaml", "config/jobs/build/x.yaml"],
    expect: {
      "default/default/config": { "config.yaml": "config/config.yaml" },
      "default/default/job-config": { "x.yaml": "config/jobs/build/x.yaml (gzip)" },
      "default/default/plugins": {},
    },
  },
  {
    file: "istio-test-infra",
    rules: 5,
    warnings: ["rules/legacy-namespace"],
    files: ["boskos/resources.yaml", "boskos/configs.yaml"],
    expect: {
      "default/boskos/boskos-config": { "resources.yaml": "boskos/resources.yaml" },
      "default/boskos/mason-config": { "configs.yaml": "boskos/configs.yaml" },
      "default/default/config": {},
      "default/default/job-config": {},
      "default/default/plugins": {},
    },
  },
  {
    file: "kubevirt-project-infra",
    rules: 4,
    warnings: ["rules/legacy-namespace"],
    files: ["github/ci/prow/files/jobs/kubevirt/a.yaml"],
    expect: {
      "default/kubevirt-prow/config": {},
      "default/kubevirt-prow/job-config": { "a.yaml": "github/ci/prow/files/jobs/kubevirt/a.yaml" },
      "default/kubevirt-prow/label-config": {},
      "default/kubevirt-prow/plugins": {},
    },
  },
  {
    file: "kyma-test-infra",
    rules: 8,
    files: ["configs/gcbuild-config.yaml", "prow/jobs/a/b.yaml"],
    expect: {
      "default/default/branchprotector-config": {},
      "default/default/config": {},
      "default/default/job-config": { "b.yaml": "prow/jobs/a/b.yaml (gzip)" },
      "default/default/plugins": {},
      "default/default/static-files": {},
      "trusted-workload/default/gcbuild-config": { "gcbuild-config.yaml": "configs/gcbuild-config.yaml" },
      "trusted-workload/default/kaniko-build-config": {},
      "trusted-workload/default/label-config": {},
      "untrusted-workload/default/gcbuild-config": { "gcbuild-config.yaml": "configs/gcbuild-config.yaml" },
      "untrusted-workload/default/kaniko-build-config": {},
    },
  },
  {
    file: "oss-test-infra",
    rules: 3,
    files: ["prow/prowjobs/a/b.yml"],
    expect: {
      "default/default/config": {},
      "default/default/job-config": { "b.yml": "prow/prowjobs/a/b.yml" },
      "default/default/plugins": {},
    },
  },
  {
    file: "prometheus-test-infra",
    rules: 5,
    files: ["prow/config.yaml", "prow/plugins.yaml", "prow/monitoring/dashboards/prow.json"],
    expect: {
      "default/default/grafana-dashboards": { "prow.json": "prow/monitoring/dashboards/prow.json" },
      "default/default/grafana-datasources": {},
      "default/default/prometheus-meta": {},
      "default/default/prow-config": {
        "config.yaml": "prow/config.yaml",
        "plugins.yaml": "prow/plugins.yaml",
      },
    },
  },
  ...["chaos-mesh-prow-config", "redhat-cop-test-infra"].map((file) => ({
    file,
    rules: 2,
    files: ["prow/config.yaml"],
    expect: {
      "default/default/config": { "config.yaml": "prow/config.yaml" },
      "default/default/plugins": {},
    },
  })),
]

const CONTEXT = { defaults: { cluster: "default", namespace: "default" } }

/** The rules of a block; every problem but the expected warnings fails the test. */
function load(text: string, file: string, warnings: readonly string[]): RuleSet {
  const { rules, problems } = parseRules(text, file)
  expect(codesOf(problems)).toEqual(warnings)
  if (!rules) throw new Error(`${file} has no rules`)
  expect(rules.rules.flatMap(({ glob }) => globDifferences(glob))).toEqual([])
  return rules
}

describe("a real config_updater", () => {
  it.each(BLOCKS)("of $file loads without an undeserved warning, and plans as Prow would", (block) => {
    const text = readFileSync(join(import.meta.dirname, "real-blocks", `${block.file}.yaml`), "utf8")
    const rules = load(text, block.file, block.warnings ?? [])

    const plan = planTargets(rules, treeOf(block.files), CONTEXT)

    expect(rules.rules).toHaveLength(block.rules)
    expect(shown(plan)).toEqual(block.expect)
    expect(plan.problems).toEqual([])
  })

  const excerpt = rulesExcerpt()
  it.skipIf(!existsSync(excerpt))(
    `of openshift/release in 2024 (an excerpt as it was) does too${whySkipped(existsSync(excerpt) ? undefined : "no excerpt where HEADRACE_TEST_DATA says")}`,
    () => {
      const rules = load(readFileSync(excerpt, "utf8"), excerpt, ["rules/empty-group"])
      const files = [
        "core-services/prow/02_config/_config.yaml",
        "core-services/prow/02_config/o/_prowconfig.yaml",
        "core-services/prow/02_config/o/r/_prowconfig.yaml",
        "core-services/release-controller/_repos/.gitignore",
        "core-services/image-mirroring/a/b/mapping_x",
      ]

      const plan = planTargets(rules, treeOf(files), CONTEXT)
      const planned = shown(plan)

      expect(plan.problems).toEqual([])
      expect(Object.keys(planned)).toHaveLength(43)
      expect(planned["app.ci/ci/config"]).toEqual({
        "config.yaml": "core-services/prow/02_config/_config.yaml (gzip)",
        "core-services-prow-02_config-o-_prowconfig.yaml":
          "core-services/prow/02_config/o/_prowconfig.yaml (gzip)",
        "core-services-prow-02_config-o-r-_prowconfig.yaml":
          "core-services/prow/02_config/o/r/_prowconfig.yaml (gzip)",
      })
      expect(planned["app.ci/ci/image-mirror-mappings"]).toEqual({
        mapping_x: "core-services/image-mirroring/a/b/mapping_x",
      })
      expect(planned["vsphere02/ocp/base-repos"]).toEqual({
        ".gitignore": "core-services/release-controller/_repos/.gitignore",
      })
      expect(Object.keys(planned).filter((target) => target.startsWith("arm01/"))).toEqual([])
    },
  )
})
