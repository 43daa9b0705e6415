/**
 * Packages whose code goes into a program's bundle, with all that they import: devDependencies of the program. They load
 * 1,100 files for the few classes that we use, which took most of the CPU of every command (docs/decisions/085). Ajv is a
 * file of its own in the bundle, in place of a hundred, which a gate with a schema loads.
 */
const INLINED = ["@kubernetes/client-node", "ajv", "bullmq", "ioredis", "zod"]

/** Whether a bundle holds this module: one of those packages, or what one of their files imports. */
export function isInlined(id, importer) {
  return (
    INLINED.some((name) => id === name || id.startsWith(`${name}/`)) ||
    importer?.includes("/node_modules/") === true
  )
}

/** The inlined packages among a program's devDependencies, with their versions. */
export function inlinedAmong(devDependencies = {}) {
  return Object.fromEntries(Object.entries(devDependencies).filter(([name]) => INLINED.includes(name)))
}
