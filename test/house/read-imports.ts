import { readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join, relative } from "node:path"
import { type CallExpression, type Expression, parseSync, Visitor } from "oxc-parser"
import { ResolverFactory } from "oxc-resolver"

/** One import of one file, whatever its form. */
export interface Import {
  /** The importing file, from the project's root. */
  from: string
  line: number
  /** As it is written. */
  specifier: string
  /** A file from the project's root, `npm:NAME` of a package, `node:NAME`, or undefined where nothing is found. */
  to: string | undefined
}

/**
 * The imports of files: static, dynamic, of types, re-exports, `require` and `createRequire(…)("x")`. A specifier that
 * is computed at run time is not among them.
 *
 * @param root the project's folder, absolute
 * @param files paths from `root`
 * @throws SyntaxError that names the file which does not parse
 */
export function readImports(root: string, files: string[]): Import[] {
  const resolver = new ResolverFactory({ conditionNames: ["source", "node", "import", "require"] })
  return files.flatMap((from) =>
    specifiersIn(join(root, from)).map(({ specifier, line }) => ({
      from,
      line,
      specifier,
      to: resolve(resolver, root, from, specifier),
    })),
  )
}

interface Specifier {
  specifier: string
  line: number
}

function specifiersIn(file: string): Specifier[] {
  const text = readFileSync(file, "utf8")
  const { program, errors } = parseSync(file, text)
  if (errors[0]) throw new SyntaxError(`${file}: ${errors[0].message}`)
  const found: Specifier[] = []
  function note(source: Expression | null | undefined): void {
    const specifier = literalText(source)
    if (specifier === undefined || !source) return
    found.push({ specifier, line: text.slice(0, source.start).split("\n").length })
  }
  new Visitor({
    ImportDeclaration: ({ source }) => note(source),
    ExportNamedDeclaration: ({ source }) => note(source),
    ExportAllDeclaration: ({ source }) => note(source),
    ImportExpression: ({ source }) => note(source),
    TSImportType: ({ source }) => note(source),
    TSExternalModuleReference: ({ expression }) => note(expression),
    CallExpression(call) {
      const [argument] = call.arguments
      if (isRequire(call) && argument?.type !== "SpreadElement") note(argument)
    },
  }).visit(program)
  return found
}

function literalText(source: Expression | null | undefined): string | undefined {
  if (source?.type === "Literal" && typeof source.value === "string") return source.value
  if (source?.type === "TemplateLiteral" && source.expressions.length === 0) {
    return source.quasis[0]?.value.cooked ?? undefined
  }
  return undefined
}

/** `require("x")`, `require.resolve("x")`, `createRequire(here)("x")` and `import.meta.resolve("x")`. */
function isRequire({ callee }: CallExpression): boolean {
  if (callee.type === "CallExpression") return isNamed(callee.callee, "createRequire")
  if (callee.type !== "MemberExpression" || !isNamed(callee.property, "resolve"))
    return isNamed(callee, "require")
  return callee.object.type === "MetaProperty" || isNamed(callee.object, "require")
}

function isNamed(node: { type: string; name?: unknown }, name: string): boolean {
  return node.type === "Identifier" && node.name === name
}

function resolve(
  resolver: ResolverFactory,
  root: string,
  from: string,
  specifier: string,
): string | undefined {
  const bare = specifier.replace(/^node:/, "")
  if (specifier.startsWith("node:") || builtinModules.includes(bare)) return `node:${bare}`
  const inside = specifier.startsWith(".") || specifier.startsWith("@headrace/")
  if (!inside) return `npm:${packageName(specifier)}`
  const { path } = resolver.sync(dirname(join(root, from)), specifier)
  return path && relative(root, path)
}

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/")
}
