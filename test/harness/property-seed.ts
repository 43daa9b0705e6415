import { configureGlobal, readConfigureGlobal } from "fast-check"

/**
 * One seed for every property test, so that a change fails for what it changed; HEADRACE_SEED gives another (the
 * date of today, say). A failure prints the seed and the path to its counterexample.
 */
configureGlobal({ ...readConfigureGlobal(), seed: Number(process.env.HEADRACE_SEED ?? 20261121) })
