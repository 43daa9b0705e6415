import { loadKoffi } from "./load-koffi.ts"

const SET_DUMPABLE = 4
const LIMIT_OF_CORE = 4

/**
 * Keeps this process's memory out of core files and of other processes' debuggers (prctl(2), PR_SET_DUMPABLE; core(5):
 * a limit alone does not stop a core_pattern that is a program). Gives false where the calls cannot be made.
 */
export function forbidCoreFiles(): boolean {
  try {
    const libc = loadKoffi().load(null)
    const setrlimit = libc.func("int setrlimit(int resource, uint64_t *limits)")
    const prctl = libc.func(
      "int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)",
    )
    return setrlimit(LIMIT_OF_CORE, [0n, 0n]) === 0 && prctl(SET_DUMPABLE, 0, 0, 0, 0) === 0
  } catch {
    return false
  }
}
