/**
 * Packages whose code goes into a program's bundle, with all that they import: devDependencies of the program.
 * client-node loads 800 files for the four classes that we use, over a second of CPU at every start of a command.
 */
const INLINED = ["@kubernetes/client-node"]

/** Whether a bundle holds this module: one of those packages, or what one of their files imports. */
export function isInlined(id, importer) {
  return INLINED.includes(id) || importer?.includes("/node_modules/") === true
}

/** The inlined packages among a program's devDependencies, with their versions. */
export function inlinedAmong(devDependencies = {}) {
  return Object.fromEntries(Object.entries(devDependencies).filter(([name]) => INLINED.includes(name)))
}
