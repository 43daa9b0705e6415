import { flushCompileCache } from "node:module"

/** What this worker has compiled for the files before, the other workers read from NODE_COMPILE_CACHE: in a fresh clone it is empty. */
flushCompileCache()
