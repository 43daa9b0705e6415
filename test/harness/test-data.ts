import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** Where the real history and rules lie; never part of the project, and found by this variable alone. */
const FOLDER = process.env.HEADRACE_TEST_DATA

/** One merged pull request of the real history, in the order of the branch. */
export interface RealMerge {
  number: number
  /** The branch's tip after the merge, and before it. */
  sha: string
  before: string
  kind: "merge" | "squash" | "rebase"
}

export const REAL_BRANCH = "main"
export const REAL_RULES = "config/prow/plugins.yaml"

/** Why the real history cannot be used here, in one line; undefined when it can. */
export function realHistoryMissing(): string | undefined {
  if (existsSync(inFolder("test-infra.bundle"))) return undefined
  return FOLDER === undefined ? "HEADRACE_TEST_DATA is not set" : `no test-infra.bundle in ${FOLDER}`
}

export function realHistoryBundle(): string {
  return inFolder("test-infra.bundle")
}

export function realMerges(): RealMerge[] {
  return JSON.parse(readFileSync(inFolder("test-infra.merges.json"), "utf8"))
}

/** A real config_updater of openshift/release; may be absent. */
export function rulesExcerpt(): string {
  return inFolder("config-updater/openshift-release-2024.yaml")
}

function inFolder(name: string): string {
  return join(FOLDER ?? "", name)
}
