#!/usr/bin/env node
/**
 * Prints a statement of where a build comes from, in the form of in-toto (https://in-toto.io/Statement/v1) with SLSA's
 * predicate (https://slsa.dev/provenance/v1): the digest that `npm run -s check:reproducible` prints is its subject, the
 * commit, the lock and each package that ships are what it was made of.
 *
 *   npm run -s provenance -- --digest sha256:… --builder URI [--source URI] > provenance.json
 *
 * It is a claim until it is signed: `cosign attest-blob --statement provenance.json`, or the key of your own tool.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { productionPackages } from "./production-packages.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const BUILD_TYPE = "urn:headrace:build:image-files:v1"

const { values } = parseArgs({
  options: { digest: { type: "string" }, builder: { type: "string" }, source: { type: "string" } },
})
const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(values.digest ?? "") ?? []
if (sha256 === undefined || values.builder === undefined || !URL.canParse(values.builder)) {
  process.stderr.write("usage: npm run -s provenance -- --digest sha256:HEX --builder URI [--source URI]\n")
  process.exit(2)
}

const gitCommit = git("rev-parse", "HEAD")
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"))
const lock = createHash("sha256")
  .update(readFileSync(join(ROOT, "package-lock.json")))
  .digest("hex")
const statement = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: `headrace-image-files-${version}`, digest: { sha256 } }],
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { source: values.source ?? "git+file:.", commit: gitCommit },
      internalParameters: { node: process.versions.node, platform: `${process.platform}-${process.arch}` },
      resolvedDependencies: [
        { uri: `${values.source ?? "git+file:."}@${gitCommit}`, digest: { gitCommit } },
        { name: "package-lock.json", digest: { sha256: lock } },
        ...productionPackages(ROOT).map(npmPackage),
      ],
    },
    runDetails: { builder: { id: values.builder } },
  },
}
process.stdout.write(`${JSON.stringify(statement, null, 2)}\n`)

/** The digest of the lock is base64; in-toto's are hexadecimal. */
function npmPackage({ name, version, integrity }) {
  const sha512 = Buffer.from(integrity.replace(/^sha512-/, ""), "base64").toString("hex")
  const [scope, base] = name.startsWith("@") ? name.split("/") : [undefined, name]
  const path = scope === undefined ? base : `${encodeURIComponent(scope)}/${base}`
  return { uri: `pkg:npm/${path}@${version}`, digest: { sha512 } }
}

function git(...args) {
  return execFileSync("git", ["-C", ROOT, ...args], { encoding: "utf8" }).trim()
}
