import type { ImportRule } from "./import-rules.ts"
import type { Import } from "./read-imports.ts"

export interface Violation {
  rule: string
  why: string
  /** `file:line` of the import, or the files of a circle. */
  where: string
}

/** What breaks a rule, in the order of the rules; circles and imports of nothing come last. */
export function findViolations(imports: Import[], rules: ImportRule[]): Violation[] {
  return [
    ...rules.flatMap(({ name, why, forbids }) =>
      imports
        .filter(forbids)
        .map((found) => ({ rule: name, why, where: `${place(found)}: ${found.specifier}` })),
    ),
    ...imports
      .filter(({ to }) => to === undefined)
      .map((found) => ({
        rule: "found",
        why: "Every import names a file that is there.",
        where: `${place(found)}: ${found.specifier}`,
      })),
    ...findCircles(imports).map((circle) => ({
      rule: "no-circles",
      why: "No file imports itself through others, types included.",
      where: circle.join(" -> "),
    })),
  ]
}

function place({ from, line }: Import): string {
  return `${from}:${line}`
}

/**
 * One circle for each group of files that import each other, as its files in order with the first again at the end.
 * By depth first search: an import of a file that is being visited closes a circle.
 */
export function findCircles(imports: { from: string; to: string | undefined }[]): string[][] {
  const imported = new Map<string, string[]>()
  for (const { from, to } of imports) {
    if (to !== undefined) imported.set(from, [...(imported.get(from) ?? []), to])
  }
  const circles: string[][] = []
  const done = new Set<string>()
  const way: string[] = []
  function visit(file: string): void {
    const begin = way.indexOf(file)
    if (begin >= 0) circles.push([...way.slice(begin), file])
    if (begin >= 0 || done.has(file)) return
    way.push(file)
    for (const next of imported.get(file) ?? []) visit(next)
    way.pop()
    done.add(file)
  }
  for (const file of imported.keys()) visit(file)
  return circles
}
