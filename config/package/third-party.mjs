#!/usr/bin/env node
/**
 * Checks that every package that ships has a licence of the list below, and prints the texts of all of them as one file, which
 * the images carry as /headrace/LICENSES.txt. A package of another platform than this one has its name and licence, by the lock.
 *
 *   npm run -s licences > LICENSES.txt
 */
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { licencesOf } from "./licences.mjs"
import { productionPackages } from "./production-packages.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
/** Permissive ones, by SPDX: they ask for their text and nothing of what we or our users write. */
const ALLOWED = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "PSF-2.0",
  "Unlicense",
])

const packages = productionPackages(ROOT)
const refused = packages.filter(({ license }) => !ALLOWED.has(license))
if (refused.length > 0) {
  for (const { name, version, license } of refused) {
    process.stderr.write(
      `${name} ${version}: ${license ?? "no licence"} is not on the list of allowed licences\n`,
    )
  }
  process.exit(1)
}
const here = packages.filter(({ isInstalled }) => isInstalled)
const elsewhere = packages.filter(({ isInstalled }) => !isInstalled)
process.stdout.write(`${licencesOf(here.map(({ place }) => join(ROOT, place, "package.json")))}\n`)
for (const { name, version, license } of elsewhere)
  process.stdout.write(`\n${name} ${version} (${license}): of another platform\n`)
