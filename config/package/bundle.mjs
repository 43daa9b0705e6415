#!/usr/bin/env node
/**
 * Bundles a program for its tarball: `npm pack` runs this as `prepack`. What a program uses of @headrace/shared goes into
 * its own files, so that it installs without any other package of ours and without what only the others need. So does
 * what it uses of the packages in `inlined-packages.mjs`, with their licences in LICENSES.txt.
 *
 *   node config/package/bundle.mjs agent|plugin|bootstrapper
 */
import { execFileSync } from "node:child_process"
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { rolldown } from "rolldown"
import { isInlined } from "./inlined-packages.mjs"
import { licencesOf } from "./licences.mjs"
import { requiredHttp } from "./required-http.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
/** What other programs may import, beside the program itself. */
const ENTRIES = { agent: { read: "src/read/index.ts" }, plugin: {}, bootstrapper: {} }

const [, , name = ""] = process.argv
if (!(name in ENTRIES)) {
  process.stderr.write("usage: node config/package/bundle.mjs agent|plugin|bootstrapper\n")
  process.exit(2)
}
const folder = join(ROOT, name)
const bundle = join(folder, "bundle")
const { engines } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
rmSync(bundle, { recursive: true, force: true })
checkDependencies(await writeBundle())
if (ENTRIES[name].read) writeDeclarations("read")

/** Gives the modules that the bundle imports and does not hold. */
async function writeBundle() {
  const inputs = { main: "src/main.ts", ...ENTRIES[name] }
  const build = await rolldown({
    // client-node has a class for each API of Kubernetes, 9 MB of them, and sockets to Pods: what nothing imports is left out.
    treeshake: { moduleSideEffects: [{ test: /client-node\/dist\/(?!polyfill)/, sideEffects: false }] },
    input: Object.fromEntries(Object.entries(inputs).map(([entry, file]) => [entry, join(folder, file)])),
    platform: "node",
    // The oldest Node that package.json admits. What takes a helper of another package (`using`) fails the check below.
    transform: { target: `node${engines.node.replace(">=", "")}` },
    // The same sources give the same files in every folder: no comment names where a module was.
    experimental: { attachDebugInfo: "none" },
    resolve: { conditionNames: ["source", "node", "import"] },
    plugins: [requiredHttp],
    external: (id, importer) => !/^(\.|\/|@headrace\/|node:http$)/.test(id) && !isInlined(id, importer),
  })
  const { output } = await build.write({
    dir: bundle,
    format: "esm",
    // No hash: it counts where the folder of the build is.
    chunkFileNames: "chunks/[name].js",
    comments: false,
  })
  await build.close()
  for (const { type, code, fileName } of output) {
    if (type === "chunk") writeFileSync(join(bundle, fileName), inAscii(code))
  }
  const inlined = output
    .flatMap((chunk) => chunk.moduleIds ?? [])
    .filter((id) => id.includes("/node_modules/"))
  if (inlined.length > 0) writeFileSync(join(bundle, "LICENSES.txt"), licencesOf(inlined))
  const own = new Set(output.map(({ fileName }) => fileName))
  const imported = output.flatMap((chunk) => [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])])
  return new Set(imported.filter((id) => !own.has(id) && !isBuiltin(id)).map(packageOf))
}

/**
 * The same program in ASCII: V8 keeps the text of a module for as long as it runs, with two bytes for each character if
 * one of them needs it. Without comments such characters are in strings, templates and regular expressions alone, which
 * take an escape; what reads a template's raw text may not have one, nor may what has a backslash already.
 */
function inAscii(code) {
  if (/String\.raw`[^`]*[^\0-\x7f]|\\[^\0-\x7f]/.test(code))
    throw new Error("an escape would change the program")
  return code.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

function packageOf(id) {
  return id
    .split("/")
    .slice(0, id.startsWith("@") ? 2 : 1)
    .join("/")
}

/**
 * package.json names exactly what the bundle imports: nothing is missing, and nothing is brought along in vain. Optional
 * peers are what a program loads only when it is asked to.
 */
function checkDependencies(imported) {
  const { dependencies, peerDependencies = {} } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  )
  const named = Object.keys({ ...dependencies, ...peerDependencies })
  const lacking = [...imported].filter((one) => !named.includes(one))
  const vain = named.filter((one) => !imported.has(one))
  if (lacking.length + vain.length === 0) return
  process.stderr.write(
    `${name}/package.json: dependencies lack ${lacking.join(", ") || "nothing"}, and have ${vain.join(", ") || "nothing"} in vain\n`,
  )
  process.exit(1)
}

/** The types of an entry, which import nothing but each other: tsconfig.ENTRY.json says how. `npm run check` checks types. */
function writeDeclarations(entry) {
  const all = join(bundle, "types")
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc")
  const project = join(folder, `tsconfig.${entry}.json`)
  execFileSync(process.execPath, [tsc, "-p", project, "--outDir", all], { stdio: "inherit" })
  renameSync(join(all, entry), join(bundle, entry))
  rmSync(all, { recursive: true })
}
