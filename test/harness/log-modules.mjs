// Preloaded by --import into a program under test: notes each module that it loads, a URL a line, in the
// file that HEADRACE_TEST_MODULES names.
import { appendFileSync } from "node:fs"
import { registerHooks } from "node:module"

const file = process.env.HEADRACE_TEST_MODULES

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`)
    return nextLoad(url, context)
  },
})
