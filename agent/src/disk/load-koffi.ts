import { createRequire } from "node:module"

/**
 * Koffi, which calls functions of C libraries. It is an optional dependency and loaded at first use.
 *
 * @throws Error where it is not installed or has no build for this system
 */
export function loadKoffi(): typeof import("koffi") {
  return createRequire(import.meta.url)("koffi")
}
