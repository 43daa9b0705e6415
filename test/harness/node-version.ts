/** The oldest Node that client-node 2 loads on (its undici needs zstd streams). */
const OLDEST = [22, 19] as const

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  throw new Error(
    `these tests run on Node ${process.versions.node}, but need ${OLDEST.join(".")}: npm's "node" package is pinned for this; ` +
      `run "npm install" again and allow its install script (package.json, allowScripts)`,
  )
}
