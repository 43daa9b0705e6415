import type { Problem } from "@headrace/shared/foundation/problem"

const MOST_EXAMPLES = 3

/**
 * Makes one problem of all collisions of a rule's place: hundreds of lines would hide what is wrong with the rule. Of the
 * files that give one key one is written and the others are lost, so it is an error, and a warning where `likeProw`
 * says that what Prow accepts is accepted.
 */
export function groupCollisions(problems: readonly Problem[], likeProw: boolean): Problem[] {
  const collisions = problems.filter(({ collision }) => collision !== undefined)
  const others = problems.filter(({ collision }) => collision === undefined)
  const groups = Map.groupBy(collisions, ({ file, line, column }) => `${file}:${line}:${column}`)
  return [...others, ...[...groups.values()].map((group) => grouped(group, likeProw))]
}

/** How many files of the tree are in no ConfigMap since another file has their key. */
export function lostFiles(problems: readonly Problem[]): number {
  return problems.reduce((sum, { lost }) => sum + (lost ?? 0), 0)
}

function grouped(group: readonly Problem[], likeProw: boolean): Problem {
  const [first] = group
  // A rule that leads to several clusters loses the same files in each.
  const byKey = new Map(group.map(({ collision }) => [JSON.stringify(collision), collision]))
  const keys = [...byKey.values()].filter((one) => one !== undefined)
  const lost = keys.reduce((sum, { paths }) => sum + paths.length - 1, 0)
  const examples = keys.slice(0, MOST_EXAMPLES).map(({ key, paths }) => `"${key}": ${paths.join(", ")}`)
  const more = keys.length > MOST_EXAMPLES ? `; ${keys.length - MOST_EXAMPLES} more keys` : ""
  const files = lost === 1 ? "1 file is lost" : `${lost} files are lost`
  return {
    severity: likeProw ? "warning" : "error",
    code: "plan/key-collision",
    message: `${files}: several files give one key, and the last is written: ${examples.join("; ")}${more}`,
    hint: 'Set "use_full_path_as_key: true", or rename the files; --prow makes it a warning, as Prow loses them too.',
    lost,
    ...(first?.file === undefined ? {} : { file: first.file }),
    ...(first?.line === undefined ? {} : { line: first.line }),
    ...(first?.column === undefined ? {} : { column: first.column }),
  }
}
