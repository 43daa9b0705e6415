import type { ErrorCode } from "../foundation/errors.ts"
import type { LocatedYaml, YamlPath } from "../foundation/located-yaml.ts"
import type { Problem } from "../foundation/problem.ts"
import type { ConfigUpdater, MapSpec } from "./config-updater.ts"

/** A rule while it is being resolved, with what it takes to locate its mistakes. */
export interface RuleContext {
  glob: string
  spec: MapSpec
  updater: ConfigUpdater
  yaml: LocatedYaml
}

/** A problem at `path` beneath the rule; at the rule's glob when the path is empty. */
export function ruleError(
  context: RuleContext,
  path: YamlPath,
  code: ErrorCode,
  message: string,
  hint?: string,
): Problem {
  const full = ["config_updater", "maps", context.glob, ...path]
  return {
    severity: "error",
    code,
    message: `rule ${JSON.stringify(context.glob)}: ${message}`,
    ...(hint && { hint }),
    file: context.yaml.file,
    ...context.yaml.keyPositionOf(full),
  }
}

export function ruleWarning(
  context: RuleContext,
  path: YamlPath,
  code: ErrorCode,
  message: string,
  hint?: string,
): Problem {
  return { ...ruleError(context, path, code, message, hint), severity: "warning" }
}
