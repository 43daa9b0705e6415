/** `npm run check:imports`: prints every import that breaks a rule of import-rules.ts; exit 1 when there is one. */
import { join } from "node:path"
import { findViolations } from "./find-violations.ts"
import { IMPORT_RULES } from "./import-rules.ts"
import { readImports } from "./read-imports.ts"
import { sourceFiles } from "./source-files.ts"

const root = join(import.meta.dirname, "../..")
const files = sourceFiles(root)
const imports = readImports(root, files)
const violations = findViolations(imports, IMPORT_RULES)
for (const { rule, why, where } of violations) process.stderr.write(`${where}\n  ${rule}: ${why}\n`)
process.stdout.write(`${files.length} files, ${imports.length} imports, ${violations.length} violations\n`)
if (violations.length > 0) process.exitCode = 1
