import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Expression, parseSync, Visitor } from "oxc-parser"

/** Every test of a folder's files, as `FILE: the test's name`, with `%s` where a name has a value. */
export function testNames(folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.ts"))
  return files.flatMap((file) =>
    namesIn(join(folder, file)).map((name) => `${file.replace(".test.ts", "")}: ${name}`),
  )
}

function namesIn(file: string): string[] {
  const names: string[] = []
  const { program } = parseSync(file, readFileSync(file, "utf8"))
  new Visitor({
    CallExpression({ callee, arguments: [first] }) {
      if (!isTest(callee) || first === undefined || first.type === "SpreadElement") return
      const name = textOf(first)
      if (name !== undefined) names.push(name)
    },
  }).visit(program)
  return names
}

/** `it`, or what `it.each(…)` and `it.skipIf(…)` give. */
function isTest(callee: Expression): boolean {
  if (callee.type === "Identifier") return callee.name === "it"
  if (callee.type !== "CallExpression" || callee.callee.type !== "MemberExpression") return false
  return isTest(callee.callee.object as Expression)
}

function textOf(name: Expression): string | undefined {
  if (name.type === "Literal") return typeof name.value === "string" ? name.value : undefined
  if (name.type === "TemplateLiteral") return name.quasis.map(({ value }) => value.cooked).join("%s")
  return undefined
}
