/** Beside a revision's directory, in its slot. By itself, so that readers load nothing else of the store. */
export const MANIFEST_NAME = "manifest.json"
